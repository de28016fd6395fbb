"""A process beside the one that measures, from its start to its end. It ends when that one does, however that ends."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys

from assay.ground import lifeline

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from assay.endpoint.clients import process; process.begin(*sys.argv[2:])"
)
_END_SECONDS = 5.0
GARBAGE = 1_000_000
"""Objects beyond those that were freed before the collector looks: an answer leaves it none, and while it looks, 10 ms
for 100,000 objects, every stream waits. Source: docs/adr/0011-the-client-of-a-server.md."""


def start(module: str, *arguments: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A process in this one's group, with its output, that runs `module.main`; and our end of its connection.

    It finds modules where this one does. Raises: OSError.
    """
    ours, theirs = socket.socketpair()
    try:
        words = [sys.executable, "-c", _BOOT, json.dumps(sys.path), str(theirs.fileno()), module, *arguments]
        started = subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return started, ours


def end(started: subprocess.Popen[bytes]) -> int:
    """Its exit status, once it has ended by itself or was killed. Its connection is closed before."""
    try:
        return started.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        started.kill()
        return started.wait()


def begin(descriptor: str, module: str, *arguments: str) -> None:
    """In the new process. `descriptor`: its end of the connection."""
    lifeline.tie(int(descriptor))  # before anything slow: the other process may be gone already
    import importlib

    main = importlib.import_module(module).main
    collect_seldom()
    main(int(descriptor), *arguments)


def collect_seldom() -> None:
    """From now on the garbage collector of this process leaves alone what is there, and looks seldom at the rest."""
    gc.freeze()
    gc.set_threshold(GARBAGE)
