"""The process's stdin, stdout and stderr, made fit to be written to for as long as the work takes.

Whoever reads them may leave (`assay bench 2>&1 | head -1`), and the work goes on: what nobody reads is dropped, and
the exit code is that of the work. A broken pipe of any other file or socket stays the failure that it is.
"""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is too slow to import here
    from typing import Any


class OutlastingStream(io.FileIO):
    """A stream that becomes /dev/null when its reader has left."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())  # child processes that are given this stream lose their reader, too
            os.close(null)
            return len(data)


class LossyStream(OutlastingStream):
    """Stderr: what cannot be written to it, for a full disk under a log, is lost, and the work goes on."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:  # nowhere is left to say so; results are written to stdout and files, which do tell
            return len(data)


def prepare() -> None:
    """Once, before anything is written."""
    _open_closed()
    for name, kind in (("stdout", OutlastingStream), ("stderr", LossyStream)):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _reopened(stream, kind))


def _open_closed() -> None:
    """A stdin, stdout or stderr that was closed becomes /dev/null: else the next file that is opened takes its number,
    and scripts print into it."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is the stream's
            os.set_inheritable(null, True)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(null, mode, closefd=False))  # it outlives this object


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
