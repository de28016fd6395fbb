"""What prevents a run against a server, and how fast the server answers; the server itself is asked."""

from __future__ import annotations

from assay.endpoint.address import Address, parse
from assay.endpoint.api import Api
from assay.endpoint.apis.needs import takes_ids
from assay.endpoint.probe.trial import IDS, TEXT
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import ProbedServer, answer
from assay.ground.errors import AssayError, EnvironmentProblem
from assay.mlperf.sut.planner import Examined, SutSeconds, SutWork
from assay.suts import endpoint_pace, endpoint_rules, endpoint_server
from assay.suts.endpoint import KIND
from assay.suts.endpoint_choice import api_of, choice
from assay.suts.endpoint_options import asked_model, clients_of, model_of, token_of, urls_of

PROCESS_BYTES = 120_000_000
"""Bytes of anonymous memory of its process without bodies. Source: measured with the embedded workload."""
CLIENT_BYTES = 20_000_000
"""Bytes of anonymous memory of a client process. Source: measured with 256 streams of 32 tokens."""
BYTES_PER_ID = 16
"""Bytes of one prompt id: as a number in memory, and as JSON text."""
SHORT = Sampling(max_tokens=2, min_tokens=2)
TIMEOUT_S = 120.0
"""Longest time without a byte of a short answer, in seconds."""


def examine(work: SutWork) -> Examined:
    """Asks every server what it is, and sends one short request. Raises: ConfigError when no server is named, or no
    token is where its name says."""
    options = KIND.values(work.spec.options)
    addresses, token = _servers(work)
    blockers: list[AssayError] = []
    model, said = "", {}
    for address in addresses:  # one that is away hides no other
        try:
            model = model_of([address], model or asked_model(options), token)
            said[address] = endpoint_server.description(address, model, token)
        except AssayError as error:
            blockers.append(error)
    notes = [
        f"{address.text} serves {model}: " + ", ".join(f"{name} {value}" for name, value in facts.items())
        for address, facts in said.items()
    ]
    if not said:
        return Examined(blockers=tuple(blockers))
    try:
        api, how = api_of(options, list(said), token)
    except AssayError as error:
        return Examined(blockers=(*blockers, error), notes=tuple(notes))
    try:
        chosen = choice(api, how, work.samples, work.spec.tokenizer, work.spec.exact)
        notes += [chosen.words(), *filter(None, [chosen.performance_only])]
    except AssayError as error:
        blockers.append(error)
    for address in said:
        blockers += _first_answer(ProbedServer(address, token, TIMEOUT_S), api, model)
    by_url = {address.text: facts for address, facts in said.items()}
    found = endpoint_rules.of_servers(api, by_url, work.spec, work.samples)
    broken, remarks = endpoint_rules.for_plan(found, work.is_closed)
    return Examined(blockers=(*blockers, *broken), notes=(*notes, *remarks))


def ram_bytes(work: SutWork) -> int:
    """Also for a server that Assay starts."""
    asked = {name: work.spec.options.get(name, default) for name, default in KIND.defaults().items()}
    clients = clients_of(asked, int(str(asked["max_in_flight"])))
    return (
        PROCESS_BYTES
        + clients * CLIENT_BYTES
        + BYTES_PER_ID * sum(len(sample.prompt_ids) for sample in work.samples)
    )


def seconds(work: SutWork) -> SutSeconds | None:
    """Seconds from a few short answers, at most 16 at the same time. None when they fail, or when the API takes
    text. Raises: ConfigError and EnvironmentProblem for what `examine` finds in the way."""
    options = KIND.values(work.spec.options)
    addresses, token = _servers(work)
    api, _ = api_of(options, addresses, token)
    if not takes_ids(api):
        return None
    model = model_of(addresses, asked_model(options), token)
    servers = [ProbedServer(address, token, TIMEOUT_S) for address in addresses]
    prompts = [sample.prompt_ids for sample in work.samples]
    in_flight = int(str(options["max_in_flight"]))
    pace = endpoint_pace.measure(servers, api, model, prompts, in_flight)
    if pace is None:
        return None
    lengths = [len(ids) for ids in prompts]
    longest = [work.longest_answer] * len(lengths)
    return SutSeconds(0.0, pace.answer_s(lengths, work.tokens), pace.answer_s(lengths, longest))


def _servers(work: SutWork) -> tuple[list[Address], str | None]:
    options = KIND.values(work.spec.options)
    return [parse(url) for url in urls_of(options)], token_of(options)


def _first_answer(server: ProbedServer, api: Api, model: str) -> list[EnvironmentProblem]:
    prompt = Prompt(ids=IDS) if takes_ids(api) else Prompt(text=TEXT)
    body = api.body(prompt, SHORT, model, "assay-plan" if api.has_salt else None)
    failure = answer(server, api, body).failure
    if failure is None:
        return []
    said = f"{failure.kind.value} ({failure.detail})"
    return [
        EnvironmentProblem(
            f"{server.text} does not answer a short question: {said}",
            f"assay probe {server.text} says how it wants to be asked; see its log",
        )
    ]
