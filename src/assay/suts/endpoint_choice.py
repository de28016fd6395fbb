"""How a server is asked, and how exactly its token ids are known then: the API, the tier, and what the tier allows.

A: ids in both directions. B: text in one direction, and a tokenizer proves it: each prompt of the dataset and each
answer is checked with it. C: nothing proves the ids; such runs measure speed only. Source: docs/endpoint.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.config import OptionValue
from assay.endpoint.address import Address
from assay.endpoint.api import Api
from assay.endpoint.apis import APIS, api_named
from assay.endpoint.apis.needs import takes_ids
from assay.endpoint.probe.identify import identify
from assay.endpoint.probe.trial import chosen
from assay.endpoint.single import ProbedServer
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError
from assay.mlperf.data import tokenizer
from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from assay.suts import endpoint_http, endpoint_text

AUTO = "auto"
_TEMPLATE = "openai-chat"
"""The API whose server puts every prompt into a template of its own."""


@dataclass(frozen=True)
class ApiChoice:
    """The chosen API. `texts`: the prompts by index, for an API that takes no ids."""

    api: Api
    tier: Tier
    why_c: str = ""
    """Why the ids are not proved; empty in A and B."""
    texts: Mapping[int, str] = field(default_factory=dict, repr=False)
    tokenizer: Tokenizer | None = field(default=None, repr=False)
    how: str = "as asked"
    """How the API was chosen: by the user or by asking the server."""

    @property
    def performance_only(self) -> str:
        """What every reader of a result must know; empty when the run may have a score."""
        return f"tier C, exact token ids are not known: {self.why_c}" if self.tier is Tier.C else ""

    @property
    def holds_prompt(self) -> bool:
        """Whether the server must count the same number of prompt ids as were sent."""
        return takes_ids(self.api) or self.tier is Tier.B

    def words(self) -> str:
        return f"API {self.api.name} ({self.how}), tier {self.tier.value}"


def api_of(
    options: Mapping[str, OptionValue | None], addresses: Sequence[Address], token: str | None
) -> tuple[Api, str]:
    """The API and how it was chosen. `auto` sends a few short requests to the first server. Raises: ConfigError,
    EnvironmentProblem when no API of the server answers."""
    asked = str(options["api"])
    if asked != AUTO:
        return api_named(asked), "as asked"
    endpoint_http.models(addresses[0], token)  # a server that is not ready says so in its own words
    server = ProbedServer(addresses[0], token, float(str(options["stall_timeout"])))
    identity = identify(server)
    model = str(options.get("model") or "") or next(iter(identity.models), "")
    asker = chosen(server, identity.apis, model)
    # Without ids in its answers it is asked as what it then is: a server of text.
    api = APIS["openai"] if asker.tier is Tier.C and asker.api.tier is Tier.A else asker.api
    return api, f"by probe, {identity.kind or 'a server that does not say what it is'}"


def choice(
    api: Api, how: str, samples: Sequence[Sample], folder: Path | None, must_be_exact: bool
) -> ApiChoice:
    """The choice for a run. `folder`: folder of the tokenizer. Raises: ConfigError where exact ids are needed and
    unknown, or where a prompt's text is."""
    if api.tier is Tier.A:
        return ApiChoice(api, Tier.A, how=how)
    known = None if folder is None else tokenizer.load(folder)
    texts: dict[int, str] = {}
    why_c = ""
    if not takes_ids(api):
        texts, why_c = endpoint_text.prompt_texts(samples, known)
        if not all(texts.values()):
            raise ConfigError(f"the API {api.name} takes text, and the dataset has none", "--tokenizer DIR")
    elif known is None:
        why_c = "without --tokenizer no answer can be held against it"
    if api.name == _TEMPLATE:
        why_c = "the server puts every prompt into a template of its own"
    elif api.tier is Tier.C and any(sample.stop_ids for sample in samples):
        why_c = why_c or "answers end at stop sequences, which text does not show"
    made = ApiChoice(api, Tier.C if why_c else Tier.B, why_c, texts, known, how)
    if must_be_exact and made.tier is Tier.C:
        raise ConfigError(
            f"an accuracy run needs exact token ids, and of the API {api.name} they are not known: {why_c}",
            "--mode performance, "
            + ("--tokenizer DIR of the server's model, " if known is None else "")
            + "or an API with ids: "
            + ", ".join(name for name, each in APIS.items() if each.tier is Tier.A),
        )
    return made
