"""The serve SUT: a server that Assay starts, measures and stops. What it is; imports nothing heavy."""

from __future__ import annotations

from assay.config import Precision
from assay.endpoint.apis import APIS
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import SutOption
from assay.suts import secret
from assay.suts.endpoint import CLIENT_OPTIONS, refuse

KIND = SutKind(
    name="serve",
    summary="a server that Assay starts and stops: vLLM, SGLang, or any command",
    module="assay.suts.serve_sut",
    precisions=(Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16),
    options=(
        SutOption(
            "server",
            str,
            "vllm, sglang, or a command with {checkpoint}, {port} and {dtype} in it",
            "vllm",
            refuse=secret.refuse_in,
        ),
        SutOption("server_python", str, "the python that has the server (default: Assay's own)"),
        SutOption(
            "server_args", str, "further arguments of the server, as one text", refuse=secret.refuse_in
        ),
        SutOption("start_timeout", float, "longest time until it answers, s", 1800.0, least=1, most=1e6),
        SutOption("api", str, "how it is asked (default: as the server is known)", choices=tuple(APIS)),
        *CLIENT_OPTIONS,
    ),
    refuse=refuse,
    planner="assay.suts.serve_plan",
)
