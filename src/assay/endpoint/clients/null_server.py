"""A server without a model and without pace, in a process of its own: what a client is measured against."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from assay.endpoint.clients import process
from assay.ground.errors import EnvironmentProblem

_MODULE = "assay.endpoint.clients.null_server"
_START_SECONDS = 20.0
_ANY_PROMPT = 2**24
"""Tokens of context: it refuses no prompt."""


@contextmanager
def null_server(api: str, tokens: int) -> Iterator[str]:
    """The address of one that gives answers of `tokens` tokens. Raises: OSError, EnvironmentProblem."""
    popen, connection = process.start(_MODULE, api, str(tokens))
    try:
        yield f"http://127.0.0.1:{_port(popen, connection)}"
    finally:
        connection.close()
        process.end(popen)


def _port(popen: subprocess.Popen[bytes], connection: socket.socket) -> int:
    connection.settimeout(_START_SECONDS)
    try:
        said = connection.recv(16)
    except TimeoutError:
        said = b""
    if not said:
        popen.kill()
        raise EnvironmentProblem("the server without a model did not start", "its last words are in the log")
    return int(said)


def main(descriptor: int, api: str, tokens: str) -> None:
    """In its process. It tells its port over the connection."""
    from assay.endpoint.mock.script import MockScript
    from assay.endpoint.mock.server import serve

    control = socket.socket(fileno=descriptor)
    script = MockScript(api=api, tokens=int(tokens), context=_ANY_PROMPT)
    asyncio.run(serve(script, "127.0.0.1", 0, lambda port: control.sendall(str(port).encode())))
