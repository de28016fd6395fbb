"""Child: one supervised process with a log file and a process group of its own.

The parent never waits on it blindly: it asks whether it lives, why it died, and ends it with all it started.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

LOG_LINES = 5
"""Last lines of a log that an error message quotes."""
LOG_TAIL_BYTES = 16_384
"""Bytes that those lines are looked for in. A choice: lines of a traceback are far shorter."""
LOG_HEAD_BYTES = 4 << 20
"""Bytes that the first error is looked for in. A choice."""
ERROR_CHARS = 400
"""Of that error, in a message. A choice."""
_ERROR = re.compile(rb"\bERROR\b|\berror\b|(?:Error|Exception): ")
_EXCEPTION = re.compile(rb"\w(?:Error|Exception): \S")
_MILD = re.compile(rb"\b(?:DEBUG|INFO|WARNING)\b")
FULL_BYTES = 65_536
"""A disk with fewer bytes left is full: a choice, what a child writes at once."""
END_SECONDS = 5.0
"""How long a child gets between being asked to end and being killed."""


class Child:
    """A started `python -m MODULE ARGUMENTS`. `name` says what it is in an error message."""

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], log: Path, keep_fds: Sequence[int] = ()
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.name, self.log = name, log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=keep_fds,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which then ends the whole group
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Its exit status, or None when it still runs after `seconds`."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End it and everything it started: asked first, killed after a few seconds. Safe to call again."""
        if self.exit_status() is None:
            self._signal(signal.SIGTERM)
            self.wait(END_SECONDS)
        self._signal(signal.SIGKILL)  # also what it left behind in its process group
        self._process.wait()

    def death(self) -> str:
        """How it ended and its last words, as one sentence for an error message."""
        status = self.wait(END_SECONDS)
        how = "still runs but closed its connection" if status is None else describe(status)
        with self.log.open("rb") as file:
            words = last_lines(file)
        quoted = f"; its last lines: {words}" if words else ""
        # its last words are lost then, and LoadGen, which writes its logs in C++, says nothing
        is_full = shutil.disk_usage(self.log.parent).free < FULL_BYTES
        return f"{self.name} {how}{': the disk is full' if is_full else ''} (log: {self.log}){quoted}"

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
            os.killpg(self.pid, number)


def describe(status: int) -> str:
    """An exit status in words. Example: -9 -> `was killed by SIGKILL (often the system out of memory)`."""
    if status >= 0:
        return f"ended with exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    because = {
        "SIGKILL": " (often the system out of memory)",
        "SIGSEGV": " (a crash in native code)",
    }
    return f"was killed by {name}{because.get(name, '')}"


def first_error(file: IO[bytes], start: int) -> str:
    """The line of a log with its first exception, else its first line that calls itself an error; empty without. It is
    looked for from the byte `start` on.

    The last lines of a server of several processes are of the one that waited for the others: vLLM's say only "Engine
    core initialization failed. See root cause above".
    """
    file.seek(start)
    lines = file.read(LOG_HEAD_BYTES).splitlines()
    errors = [line for line in lines if _ERROR.search(line) and not _MILD.search(line)]
    said = next(filter(_EXCEPTION.search, errors), errors[0] if errors else b"")
    return said.decode("utf-8", "replace").strip()[:ERROR_CHARS]


def last_lines(file: IO[bytes]) -> str:
    """The last few non-empty lines of a log, joined by ` | `."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LOG_TAIL_BYTES))
    text = file.read(LOG_TAIL_BYTES).decode("utf-8", "replace")
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-LOG_LINES:])
