"""All findings of a probe as one value."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from assay.endpoint.apis import APIS
from assay.endpoint.probe import checks
from assay.endpoint.probe.caching import Caching, caching
from assay.endpoint.probe.identify import FAMILIES, ServerIdentity, identify
from assay.endpoint.probe.trial import Asker, chosen
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import ProbedServer
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError, RunFailed

_ROUNDS = 5


@dataclass(frozen=True)
class TextFacts:
    """What a tokenizer gives, for the comparison with the server."""

    vocabulary: int
    bare_ids: int
    """Number of ids of `trial.TEXT` without special ids."""


@dataclass(frozen=True)
class ProbeReport:
    """The findings; None = it could not be known."""

    identity: ServerIdentity
    model: str
    api: str
    path: str
    tier: Tier
    first_byte_s: float
    """Median of five short requests, one after another."""
    tokens_per_event: int | None
    """Largest number of tokens in one event of a short answer."""
    counts_agree: bool | None
    prompt_is_kept: bool | None
    has_min_tokens: bool
    minimum_is_honoured: bool | None
    stop_id_is_sent: bool | None
    samples_by_default: bool | None
    has_salt: bool
    caching: Caching
    added_to_text: int | None = None
    takes_vocabulary: bool | None = None
    """Whether the server accepts the last id of the tokenizer."""


def probe(server: ProbedServer, api: str, model: str | None, text: TextFacts | None) -> ProbeReport:
    """Sends about forty short requests to a server. `api`: "auto", a kind of server or one API. Raises: ConfigError,
    EnvironmentProblem, RunFailed."""
    identity = identify(server) if api == "auto" else _told(server, api)
    apis = identity.apis if api == "auto" else FAMILIES.get(api, (api,))
    name = model or next(iter(identity.models), "")
    if identity.models and name not in identity.models:
        raise ConfigError(f"{server.text} has no model {name}", "one of: " + ", ".join(identity.models[:5]))
    return _examined(chosen(server, apis, name), identity, text)


def _told(server: ProbedServer, api: str) -> ServerIdentity:
    """The kind of server. When the API is given, a server need not say what it is."""
    if api not in FAMILIES and api not in APIS:
        raise ConfigError(f"there is no API {api}", "one of: auto, " + ", ".join([*FAMILIES, *APIS]))
    try:
        return identify(server)
    except ConfigError as error:
        if "wants a key" in error.message:
            raise
        return ServerIdentity(None)


def _examined(asker: Asker, identity: ServerIdentity, text: TextFacts | None) -> ProbeReport:
    short = [asker.ask(asker.short(), Sampling(max_tokens=8)) for _ in range(_ROUNDS)]
    if failure := next((got.failure for got in short if got.failure), None):
        raise RunFailed(
            f"{asker.server.text} failed in short requests: {failure.detail}", "the server's own log"
        )
    got = short[-1]
    sizes = [len(delta.ids) for one in short for delta in one.deltas if delta.ids]
    return ProbeReport(
        identity=identity,
        model=asker.model,
        api=asker.api.name,
        path=asker.api.path,
        tier=asker.tier,
        first_byte_s=statistics.median(one.first_byte_s for one in short),
        tokens_per_event=max(sizes, default=None),
        counts_agree=checks.counts_agree(got),
        prompt_is_kept=checks.prompt_is_kept(got) if asker.takes_ids else None,
        has_min_tokens=asker.api.has_min_tokens,
        minimum_is_honoured=checks.minimum_is_honoured(asker),
        stop_id_is_sent=checks.stop_id_is_sent(asker),
        samples_by_default=checks.samples_by_default(asker),
        has_salt=asker.api.has_salt,
        caching=caching(asker, identity.context),
        added_to_text=checks.added_to_text(asker, text.bare_ids) if text else None,
        takes_vocabulary=checks.takes_id(asker, text.vocabulary - 1) if text else None,
    )
