"""Prepares the process's stdin, stdout and stderr, so that writing to them cannot stop the work.

If their reader closes them (`assay bench 2>&1 | head -1`), the work goes on: further output is dropped, and the exit
code is that of the work. A broken pipe of any other file or socket is still an error.
"""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is too slow to import here
    from typing import Any


class OutlastingStream(io.FileIO):
    """A stream that becomes /dev/null when its reader closes it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())  # child processes with this stream lose their reader too
            os.close(null)
            return len(data)


class LossyStream(OutlastingStream):
    """Stderr. Text that cannot be written, for example because the disk of a log is full, is lost, and the work goes
    on."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:  # it cannot be reported; results go to stdout and files, where errors are raised
            return len(data)


def prepare() -> None:
    """Prepares the three streams. Called once, before anything is written."""
    _open_closed()
    for name, kind in (("stdout", OutlastingStream), ("stderr", LossyStream)):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _reopened(stream, kind))


def _open_closed() -> None:
    """Opens /dev/null for a closed stdin, stdout or stderr. Otherwise the next opened file would get its number, and
    scripts would print into that file."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is the stream's
            os.set_inheritable(null, True)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(null, mode, closefd=False))  # stays open without this object


def _reopened(stream: io.TextIOWrapper, kind: type[OutlastingStream]) -> io.TextIOWrapper:
    stream.flush()
    raw = kind(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),  # unbuffered: `python -u`
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
