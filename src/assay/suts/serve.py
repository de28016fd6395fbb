"""The serve SUT: a server that Assay starts, measures and stops. What it is; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.config import OptionValue, Precision
from assay.endpoint.apis import APIS
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import SutOption
from assay.suts import secret
from assay.suts.endpoint import CLIENT_OPTIONS, refuse


def _weight_files(options: Mapping[str, OptionValue | None], checkpoint: Path) -> Sequence[Path]:
    """What the server loads: the GGUF where its command names it. Raises: ArtifactError."""
    from assay.suts import serve_command

    return serve_command.weight_files(options, checkpoint)


KIND = SutKind(
    name="serve",
    summary="a server that Assay starts and stops: vLLM, SGLang, llama.cpp, or any command",
    module="assay.suts.serve_sut",
    precisions=(Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16),
    options=(
        SutOption(
            "server",
            str,
            "vllm, sglang, llamacpp, or a command with {port}; {checkpoint}, {gguf} and {dtype} where it takes them",
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
    weight_files=_weight_files,
    planner="assay.suts.serve_plan",
)
