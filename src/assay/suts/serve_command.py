"""The command that starts a server, with what the rules demand of it. Pure.

Source: inference_rules, no caching of queries and results; vLLM docs/cli/serve.md; SGLang docs server_arguments.md.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from assay.config import OptionValue, Precision
from assay.ground.errors import ConfigError

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
"""Name of the server and of its Python module -> its API, and what follows the python."""


def api_of(server: str, asked: OptionValue | None) -> str:
    """As asked, else the server's own."""
    known = KNOWN.get(server)
    return str(asked or (known[0] if known else "vllm"))


def command(
    options: Mapping[str, OptionValue | None], checkpoint: Path, port: int, precision: Precision
) -> list[str]:
    """The words of the command. `options`: of the serve SUT. Raises: ConfigError for a text that is no command line."""
    server, python = str(options["server"]), str(options["server_python"] or sys.executable)
    known = KNOWN.get(server)
    try:
        words = [python, *shlex.split(known[1])] if known else shlex.split(server)
        words += shlex.split(str(options["server_args"] or ""))
    except ValueError as error:
        raise ConfigError(f"no command line: {error}", "quote as in a shell") from error
    values = {"{checkpoint}": str(checkpoint), "{port}": str(port), "{dtype}": precision.value}
    for name, value in values.items():
        words = [word.replace(name, value) for word in words]
    if not words or (known is None and "{port}" not in server):
        raise ConfigError(
            f"--server {server!r} does not say where the port goes",
            "--server vllm, sglang, or a command with {port} and {checkpoint} in it",
        )
    return words
