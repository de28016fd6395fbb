"""The serve SUT: a server that Assay starts, measures and stops. What it is; imports nothing heavy."""

from __future__ import annotations

from assay.config import Precision
from assay.endpoint.apis import APIS
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import SutOption
from assay.suts.endpoint import refuse

KIND = SutKind(
    name="serve",
    summary="a server that Assay starts and stops: vLLM, SGLang, or any command",
    module="assay.suts.serve_sut",
    precisions=(Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16),
    options=(
        SutOption(
            "server", str, "vllm, sglang, or a command with {checkpoint}, {port} and {dtype} in it", "vllm"
        ),
        SutOption("server_python", str, "the python that has the server (default: Assay's own)"),
        SutOption("server_args", str, "further arguments of the server, as one text"),
        SutOption("start_timeout", float, "longest time until it answers, s", 1800.0, least=1, most=1e6),
        SutOption("api", str, "how it is asked (default: as the server is known)", choices=tuple(APIS)),
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
    ),
    refuse=refuse,
    planner="assay.suts.serve_plan",
)
