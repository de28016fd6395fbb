"""One child process with a deadline: fed from a file, its output bounded, its whole group killed at the end.

Knows nothing of sandboxes.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

_CHUNK_BYTES = 1 << 16
_LOOK_S = 0.05


@dataclass(frozen=True)
class Ended:
    status: int
    """Exit status; 128 + signal for a process that was killed."""
    timed_out: bool
    output: bytes
    """The first bytes of standard output and error together."""


def supervise(argv: Sequence[str], stdin: bytes, cwd: str, wall_s: float, output_bytes: int) -> Ended:
    """Run `argv` for at most `wall_s` seconds; what it prints beyond `output_bytes` is read and dropped."""
    deadline = time.monotonic() + wall_s
    with tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        child = subprocess.Popen(
            argv,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            start_new_session=True,
        )
    try:
        assert child.stdout is not None
        output, timed_out = _drain(child, child.stdout.fileno(), deadline, output_bytes)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
        if child.stdout is not None:
            child.stdout.close()
    return Ended(128 - status if status < 0 else status, timed_out, output)


def _drain(child: subprocess.Popen[bytes], pipe: int, deadline: float, keep: int) -> tuple[bytes, bool]:
    """Read until the child has ended; (first bytes, whether the deadline came first).

    The end of the child counts, not the end of the pipe: a grandchild may hold the pipe open for ever.
    """
    kept = bytearray()
    is_open = True
    while (left := deadline - time.monotonic()) > 0:
        wait_s = min(left, _LOOK_S)
        if not is_open:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(left)
            break
        ready = bool(select.select([pipe], [], [], wait_s)[0])
        chunk = os.read(pipe, _CHUNK_BYTES) if ready else b""
        is_open = not ready or bool(chunk)
        kept += chunk[: keep - len(kept)]
        if not ready and child.poll() is not None:
            break
    return bytes(kept), child.poll() is None
