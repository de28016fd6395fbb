"""The command that starts a server, with what the rules demand of it. Reads nothing but the names of GGUF files.

Source: inference_rules, no caching of queries and results; vLLM docs/cli/serve.md; SGLang docs server_arguments.md;
llama.cpp tools/server/README.md.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.config import OptionValue, Precision
from assay.ground import model_folder
from assay.ground.errors import ArtifactError, ConfigError


@dataclass(frozen=True)
class KnownServer:
    """A server that has a name."""

    api: str
    command: str
    module: str = ""
    """Of its python; empty for a program of its own."""


KNOWN: Mapping[str, KnownServer] = {
    "vllm": KnownServer(
        "vllm",
        "{python} -m vllm.entrypoints.openai.api_server --model {checkpoint} --served-model-name assay "
        "--host 127.0.0.1 --port {port} --dtype {dtype} --no-enable-prefix-caching --generation-config vllm",
        module="vllm",
    ),
    "sglang": KnownServer(
        "sglang",
        "{python} -m sglang.launch_server --model-path {checkpoint} --served-model-name assay --host 127.0.0.1 "
        "--port {port} --dtype {dtype} --disable-radix-cache --sampling-defaults openai",
        module="sglang",
    ),
    "llamacpp": KnownServer(
        "llamacpp",
        # Every request says cache_prompt: false; without --cache-ram 0 each idle slot would still be kept in memory.
        "llama-server --model {gguf} --alias assay --host 127.0.0.1 --port {port} --no-context-shift --cache-ram 0",
    ),
}
NO_CHECKPOINT = "CHECKPOINT"
"""Stands in the command for a checkpoint that is not named yet."""
ASSAYS_OWN = frozenset(
    [
        "--model",
        "-m",
        "--model-path",
        "--model-url",
        "-mu",
        "--hf-repo",
        "-hf",
        "--served-model-name",
        "--alias",
        "-a",
        "--host",
        "--port",
    ]
)
"""Options of a server with a name: the record holds the digest of the checkpoint that Assay gives it."""
_PART = re.compile(r"-(\d{5})-of-\d{5}\.gguf$")
"""Of a GGUF that is split. Source: llama.cpp, tools/gguf-split/README.md."""


def api_of(server: str, asked: OptionValue | None) -> str:
    """As asked, else the server's own."""
    known = KNOWN.get(server)
    return str(asked or (known.api if known else "vllm"))


def command(
    options: Mapping[str, OptionValue | None], checkpoint: Path | None, port: int, precision: Precision
) -> list[str]:
    """The words of the command. `options`: of the serve SUT. Raises: ConfigError for a text that is no command line,
    ArtifactError for a checkpoint without the GGUF that the server reads."""
    server, known = str(options["server"]), KNOWN.get(str(options["server"]))
    if "{port}" not in _line(options):
        raise ConfigError(
            f"--server {server!r} does not say where the port goes",
            f"--server {', '.join(KNOWN)}, or a command with {{port}} in it",
        )
    try:
        words, more = shlex.split(_line(options)), shlex.split(str(options["server_args"] or ""))
    except ValueError as error:
        raise ConfigError(f"no command line: {error}", "quote as in a shell") from error
    if known and (taken := ASSAYS_OWN.intersection(word.partition("=")[0] for word in more)):
        raise ConfigError(
            f"--server-args: {min(taken)} of {server} is given by Assay",
            "--checkpoint DIR names the model; for all else: --server with a command of your own",
        )
    values = {
        "{python}": str(options["server_python"] or sys.executable),
        "{checkpoint}": str(checkpoint or NO_CHECKPOINT),
        "{port}": str(port),
        "{dtype}": precision.value,
    }
    if "{gguf}" in _line(options):
        values["{gguf}"] = str(gguf_files(checkpoint)[0] if checkpoint else NO_CHECKPOINT)
    words += more
    for name, value in values.items():
        words = [word.replace(name, value) for word in words]
    return words


def weight_files(options: Mapping[str, OptionValue | None], checkpoint: Path) -> tuple[Path, ...]:
    """What the server loads: the GGUF where the command names it, else the checkpoint's own. Raises: ArtifactError."""
    return gguf_files(checkpoint) if "{gguf}" in _line(options) else model_folder.weight_files(checkpoint)


def gguf_files(checkpoint: Path) -> tuple[Path, ...]:
    """The one GGUF in the folder, all its parts, the first one first. Raises: ArtifactError."""
    found = sorted(checkpoint.glob("*.gguf"))
    if len({_PART.sub("", file.name) for file in found}) != 1:
        names = ", ".join(file.name for file in found[:3])
        raise ArtifactError(
            f"{checkpoint} holds {names or 'no .gguf'}, and llama.cpp reads one GGUF",
            "one .gguf beside config.json, made by llama.cpp's convert_hf_to_gguf.py",
        )
    return tuple(found)


def _line(options: Mapping[str, OptionValue | None]) -> str:
    server = str(options["server"])
    return KNOWN[server].command if server in KNOWN else server
