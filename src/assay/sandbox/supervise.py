"""Runs one child process with time limits: feeds it through a pipe, limits its output, and kills its process group at
the end.

It knows nothing of sandboxes.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from assay.sandbox import cpu_time
from assay.sandbox.stages import Stages

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""The whole environment of the child. Programs that it starts can read it, for example in /proc."""

MARK = b"."
"""What ends a stage on standard output."""
_CHUNK_BYTES = 1 << 16
_LOOK_S = 0.05
"""Longest wait for output before the child's end and its time are looked at again."""


@dataclass(frozen=True)
class Ended:
    status: int
    """Exit status; 128 + signal if the process was killed."""
    stage: int
    """The stage in which it ended, counted from 0."""
    timed_out: bool
    starved: bool
    """Whether it timed out and other processes are the proven cause: see `stages.judged`."""
    output: bytes
    """The first bytes of standard output and error together, after the marks."""
    told_secret: bool


def supervise(
    argv: Sequence[str],
    stdin: bytes,
    cwd: str,
    stages: Sequence[float],
    output_bytes: int,
    secret: bytes = b"",
    cpu_s: Callable[[], float] | None = None,
) -> Ended:
    """Runs `argv`. Output beyond `output_bytes` is read and dropped.

    Each stage has its limit in seconds. MARK on standard output ends each stage except the last. Before the last
    stage only code that the caller trusts may run. `secret` is searched for in the whole output. `cpu_s` returns the
    CPU seconds of the child and its descendants since any fixed moment; by default they are counted in /proc.
    """
    child = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=ENVIRONMENT,
        bufsize=0,
        start_new_session=True,
    )
    output = _Output(len(stages) - 1, output_bytes, secret)
    clock = Stages(stages, child.pid, cpu_s or (lambda: cpu_time.of_tree(child.pid).used_s))
    try:
        _converse(child, stdin, output, clock)
        timed_out = child.poll() is None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
    return Ended(
        128 - status if status < 0 else status,
        output.marks,
        timed_out,
        timed_out and clock.was_starved,
        bytes(output.kept),
        output.told_secret,
    )


class _Output:
    """The output of the child: marks of its stages, then `keep` bytes. The rest is searched for the secret and
    dropped."""

    def __init__(self, stages: int, keep: int, secret: bytes) -> None:
        self._left, self._keep, self._secret = stages, keep, secret
        self.marks = 0
        self.kept = bytearray()
        self.told_secret = not secret
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        while self._left and chunk[:1] == MARK:
            self.marks, self._left, chunk = self.marks + 1, self._left - 1, chunk[1:]
        self.kept += chunk[: self._keep - len(self.kept)]
        text = self._tail + chunk
        self.told_secret = self.told_secret or self._secret in text
        self._tail = text[max(0, len(text) - len(self._secret)) :]


def _converse(child: subprocess.Popen[bytes], stdin: bytes, output: _Output, stages: Stages) -> None:
    """Writes input and reads output until the child has ended or its time is over.

    The end of the child counts, not the end of the pipe, because a grandchild may keep the pipe open for ever.
    """
    assert child.stdin is not None and child.stdout is not None
    os.set_blocking(child.stdin.fileno(), False)
    is_open, fed = True, 0
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        ready.register(child.stdin, selectors.EVENT_WRITE)
        while not stages.is_overdue():
            if not is_open:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(_LOOK_S)
            # Checked before reading the pipe, so that this read gets all that was printed until the end.
            has_ended, has_read = child.poll() is not None, False
            for key, _ in ready.select(_LOOK_S if is_open and not has_ended else 0):
                if key.fileobj is child.stdin:
                    fed = _feed(ready, child.stdin, stdin, fed)
                else:
                    has_read, is_open = True, _read(ready, child.stdout, output)
                    stages.reach(output.marks)
            if has_ended and not has_read:
                return


def _feed(ready: selectors.BaseSelector, pipe: IO[bytes], content: bytes, start: int) -> int:
    """The number of bytes of `content` that are written so far; all of them when nobody reads the pipe any more. Then
    the pipe is closed."""
    try:
        fed = start + os.write(pipe.fileno(), content[start : start + _CHUNK_BYTES])
    except BrokenPipeError:
        fed = len(content)
    if fed == len(content):
        ready.unregister(pipe)
        pipe.close()
    return fed


def _read(ready: selectors.BaseSelector, pipe: IO[bytes], output: _Output) -> bool:
    """Whether the pipe is still open, once what is in it was added to the output."""
    chunk = os.read(pipe.fileno(), _CHUNK_BYTES)
    output.add(chunk)
    if not chunk:
        ready.unregister(pipe)
    return bool(chunk)
