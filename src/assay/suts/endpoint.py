"""The endpoint SUT: a server over the network. What it is; imports nothing heavy."""

from __future__ import annotations

from assay.config import Mode, Scenario
from assay.endpoint.apis import APIS
from assay.mlperf.sut.kind import Refusal, SutKind
from assay.mlperf.sut.option import SutOption
from assay.mlperf.workloads.workload import Workload


def refuse(workload: Workload, scenario: Scenario, mode: Mode) -> Refusal:
    """A server chooses one token after the other: it searches no beams."""
    if workload.decoding.beams == 1:
        return None
    return f"answers of {workload.name} need {workload.decoding.beams} beams, which no API of a server has"


def _refuse_address(url: str) -> None:
    """Raises: ConfigError for an address that cannot be read, or that holds a password."""
    from assay.endpoint import address

    address.parse(url)


CLIENT_OPTIONS = (
    SutOption("clients", str, "processes that carry the streams: auto, or a number", "auto"),
    SutOption(
        "client_check",
        float,
        "how long the client's own ceiling is measured, s; 0: not",
        1.0,
        least=0,
        most=60,
    ),
    SutOption("max_in_flight", int, "most requests at the same time", 256, least=1, most=100_000),
    SutOption("timeout", float, "longest time of an answer, s", 3600.0, least=0.1, most=1e6),
    SutOption("stall_timeout", float, "longest time without a byte, s", 120.0, least=0.1, most=1e6),
    SutOption("retries", int, "tries after a failure before any byte", 0, least=0, most=10),
)
"""Of the client, whoever starts the server."""
KIND = SutKind(
    name="endpoint",
    summary="a server that runs already: vLLM, SGLang, TensorRT-LLM, llama.cpp, TGI, Ollama, OpenAI's API",
    module="assay.suts.endpoint_sut",
    needs_checkpoint=False,
    is_elsewhere=True,
    ignores=("device", "precision"),
    options=(
        SutOption(
            "url",
            str,
            "address of the server; several share the queries",
            is_required=True,
            is_list=True,
            refuse=_refuse_address,
        ),
        SutOption("api", str, "how it is asked; auto: as a probe finds", "auto", choices=("auto", *APIS)),
        SutOption("model", str, "name of the model on the server (default: the first that it lists)"),
        SutOption("api_key_env", str, "environment variable that holds the bearer token", is_variable=True),
        *CLIENT_OPTIONS,
    ),
    refuse=refuse,
    planner="assay.suts.endpoint_plan",
)
