"""One child process with deadlines: fed through a pipe, its output bounded, its whole group killed at the end.

Knows nothing of sandboxes.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.mlperf.scoring import cpu_time

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""All that the child gets of ours: what it starts can read it, in /proc for example."""

MARK = b"."
PATIENCE = 10
"""A stage lasts at most so many times its limit, however long it was kept from the processors."""

_CHUNK_BYTES = 1 << 16
_LOOK_S = 0.05


@dataclass(frozen=True)
class Ended:
    status: int
    """Exit status; 128 + signal for a process that was killed."""
    stage: int
    """The stage that it was in, counted from 0."""
    timed_out: bool
    starved: bool
    """Timed out, and other processes are the proven cause: see `_Stages.is_overdue`."""
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
    """Run `argv`; what it prints beyond `output_bytes` is read and dropped.

    Each stage has its limit in seconds. MARK on standard output ends each stage but the last: only what the caller
    trusts may run before the last one. `secret` is looked for in all of the output. `cpu_s` tells the CPU seconds
    that the child and all it started have used since some moment; by default they are counted in /proc.
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
    clock = _Stages(stages, child.pid, cpu_s or (lambda: cpu_time.of_tree(child.pid).used_s))
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
    """What the child printed: marks of its stages, then `keep` bytes; the rest is searched and dropped."""

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


class _Stages:
    """How long the present stage may go on."""

    def __init__(self, limits: Sequence[float], pid: int, cpu_s: Callable[[], float]) -> None:
        self._limits, self._pid, self._cpu_s = limits, pid, cpu_s
        self._stage = -1
        self._look = 0.0
        self.was_starved = False
        self.reach(0)

    def reach(self, stage: int) -> None:
        if stage != self._stage:
            self._stage, self._began, self._cpu_before = stage, time.monotonic(), self._cpu_s()
            self._look = self._began + self._limits[stage]

    def is_overdue(self) -> bool:
        """Whether the stage has had its time: on the clock, less the time that it waited for a processor.

        While a task waits for a processor because of tasks of its own tree, one of these runs. So what a single task
        waited beyond all CPU time of the tree was the doing of others, whatever the tree does: that much is proof.
        """
        now = time.monotonic()
        if now < self._look:
            return False
        self._look = now + 1.0
        limit, elapsed_s = self._limits[self._stage], now - self._began
        used_s = self._cpu_s() - self._cpu_before
        waited_s = cpu_time.of_tree(self._pid).wait_s
        had_its_time = used_s >= limit or elapsed_s - waited_s >= limit
        self.was_starved = not had_its_time and waited_s - used_s > limit
        return had_its_time or elapsed_s >= PATIENCE * limit


def _converse(child: subprocess.Popen[bytes], stdin: bytes, output: _Output, stages: _Stages) -> None:
    """Feed and read until the child has ended or is overdue.

    The end of the child counts, not the end of the pipe: a grandchild may hold the pipe open for ever.
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
            has_read = False
            for key, _ in ready.select(_LOOK_S if is_open else 0):
                if key.fileobj is child.stdin:
                    fed = _feed(child.stdin.fileno(), stdin, fed)
                    if fed == len(stdin):
                        ready.unregister(child.stdin)
                        child.stdin.close()
                else:
                    chunk = os.read(child.stdout.fileno(), _CHUNK_BYTES)
                    has_read = True
                    output.add(chunk)
                    stages.reach(output.marks)
                    if not chunk:
                        is_open = False
                        ready.unregister(child.stdout)
            if not has_read and child.poll() is not None:
                return


def _feed(pipe: int, content: bytes, start: int) -> int:
    """How much of `content` is written now; all of it when nobody reads any more."""
    try:
        return start + os.write(pipe, content[start : start + _CHUNK_BYTES])
    except BrokenPipeError:
        return len(content)
