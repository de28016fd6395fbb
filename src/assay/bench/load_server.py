"""The server of a load: how it is asked, what is sent to it, and whether its first answer is of use."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assay.endpoint.address import parse
from assay.endpoint.apis import APIS
from assay.endpoint.load.drive import SALT, LoadPrompt
from assay.endpoint.load.level import Goodput, LoadLevel
from assay.endpoint.probe.identify import FAMILIES, ServerIdentity, identify
from assay.endpoint.probe.trial import Asker, chosen
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import ProbedServer, probed_server
from assay.ground.errors import ConfigError, EnvironmentProblem, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.run.job import Job
from assay.suts import endpoint_server

AUTO = "auto"


@dataclass(frozen=True)
class LoadRequest:
    """What the command line asks for."""

    workload: str
    urls: tuple[str, ...]
    levels: tuple[LoadLevel, ...]
    duration_s: float = 30.0
    seed: int = 0
    api: str = AUTO
    model: str | None = None
    key: str | None = None
    dataset: Path | None = None
    samples: int | None = None
    answer_tokens: int | None = None
    """Exact length of every answer; None = as the workload's rules have it."""
    goodput: Goodput | None = None
    timeout_s: float = 3600.0
    clients: str = "auto"
    """Processes that carry the streams."""
    out: Path | None = None
    is_anew: bool = False
    """Whether an earlier load in the folder is replaced."""
    command: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"LoadRequest({self.workload}, {', '.join(self.urls)})"


def server(asked: LoadRequest) -> tuple[Asker, ServerIdentity]:
    """How the first server is asked; the others must have the model too. Raises: ConfigError, EnvironmentProblem."""
    if asked.api not in (AUTO, *FAMILIES, *APIS):
        raise ConfigError(f"there is no API {asked.api}", "one of: " + ", ".join([AUTO, *FAMILIES, *APIS]))
    servers = [probed_server(url, asked.key, min(60.0, asked.timeout_s)) for url in asked.urls]
    identity = _identity(servers[0], asked.api)
    apis = identity.apis if asked.api == AUTO else FAMILIES.get(asked.api, (asked.api,))
    model = asked.model or next(iter(identity.models), "")
    for server in servers:
        listed = identity.models if server is servers[0] else _identity(server, asked.api).models
        if listed and model not in listed:
            raise ConfigError(f"{server.text} has no model {model}", f"--model {listed[0]}")
    return chosen(servers[0], apis, model), identity


def descriptions(asked: LoadRequest, model: str) -> dict[str, Mapping[str, object]]:
    """What each server says of itself, by URL. Raises: EnvironmentProblem when one does not answer."""
    addresses = map(parse, asked.urls)
    return {each.text: endpoint_server.description(each, model, asked.key) for each in addresses}


def other_models(before: Mapping[str, Mapping[str, object]], key: str | None) -> list[str]:
    """A sentence for each server that no longer serves the model of its description `before`."""
    found = []
    for url, told in before.items():
        with suppress(EnvironmentProblem):  # it has gone: its answers told so
            found.append(endpoint_server.other_model(parse(url), told, key))
    return [f"{said}: the figures are of no one model" for said in found if said]


def _identity(server: ProbedServer, api: str) -> ServerIdentity:
    """Where the API is given, a server may hide what it is."""
    try:
        return identify(server)
    except ConfigError as error:
        if api == AUTO or "wants a key" in error.message:
            raise
        return ServerIdentity(None)


def sampling(job: Job, answer_tokens: int | None) -> Sampling:
    """The workload's own rules of generation; with a length of its own, every answer has that."""
    rules = job.generation(None)
    chosen_by = rules.decoding
    return Sampling(
        max_tokens=answer_tokens or rules.max_new_tokens,
        min_tokens=answer_tokens or rules.min_new_tokens,
        temperature=chosen_by.temperature,
        top_p=chosen_by.top_p,
        top_k=chosen_by.top_k,
        ignore_eos=answer_tokens is not None,
    )


def prompts(asker: Asker, sampling: Sampling, samples: Sequence[Sample]) -> list[LoadPrompt]:
    """Bodies made beforehand; the salt that stands in them is replaced as each is sent."""
    salt = SALT if asker.api.has_salt else None
    return [
        LoadPrompt(
            sample.index,
            asker.body(_prompt(asker, sample.prompt_ids, sample.prompt), sampling, salt),
            len(sample.prompt_ids) if asker.takes_ids else None,
        )
        for sample in samples
    ]


def _prompt(asker: Asker, ids: Sequence[int], text: str) -> Prompt:
    return Prompt(ids=tuple(ids)) if asker.takes_ids else Prompt(text=text)


def warm_up(asker: Asker, sampling: Sampling, samples: Sequence[Sample]) -> None:
    """One request of the longest prompt backwards: its length, and another prompt. Raises: RunFailed."""
    longest = max(samples, key=lambda sample: len(sample.prompt_ids))
    prompt = _prompt(asker, longest.prompt_ids[::-1], " ".join(reversed(longest.prompt.split())))
    most = min(16, sampling.max_tokens)
    short = dataclasses.replace(sampling, max_tokens=most, min_tokens=min(sampling.min_tokens, most))
    if failure := asker.ask(prompt, short).failure:
        raise RunFailed(
            f"the server's first answer is of no use: {failure.kind.value} ({failure.detail})",
            f"assay probe {asker.server.text} says how it wants to be asked; see its log",
        )
