"""The command that starts a server, with what the rules demand of it. Pure.

Source: inference_rules, no caching of queries and results; vLLM docs/cli/serve.md; SGLang docs server_arguments.md.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from assay.config import OptionValue
from assay.ground.errors import ConfigError

MODEL = "assay"
"""What the model is called on a server that Assay starts."""
KNOWN: Mapping[str, tuple[str, str]] = {
    "vllm": (
        "vllm",
        "-m vllm.entrypoints.openai.api_server --model {checkpoint} --served-model-name assay --host 127.0.0.1 "
        "--port {port} --dtype {dtype} --no-enable-prefix-caching --generation-config vllm",
    ),
    "sglang": (
        "sglang",
        "-m sglang.launch_server --model-path {checkpoint} --served-model-name assay --host 127.0.0.1 "
        "--port {port} --dtype {dtype} --disable-radix-cache --sampling-defaults openai",
    ),
}
"""Name -> API, and what follows the python."""


def api_of(server: str, asked: OptionValue | None) -> str:
    """As asked, else the server's own."""
    known = KNOWN.get(server)
    return str(asked or (known[0] if known else "vllm"))


def command(server: str, python: str, checkpoint: Path, port: int, dtype: str, more: str | None) -> list[str]:
    """Raises: ConfigError for a text that is no command line."""
    known = KNOWN.get(server)
    try:
        words = [python, *shlex.split(known[1])] if known else shlex.split(server)
        words += shlex.split(more or "")
    except ValueError as error:
        raise ConfigError(f"no command line: {error}", "quote as in a shell") from error
    values = {"{checkpoint}": str(checkpoint), "{port}": str(port), "{dtype}": dtype}
    for name, value in values.items():
        words = [word.replace(name, value) for word in words]
    if not words or (known is None and "{port}" not in server):
        raise ConfigError(
            f"--server {server!r} does not say where the port goes",
            "--server vllm, sglang, or a command with {port} and {checkpoint} in it",
        )
    return words
