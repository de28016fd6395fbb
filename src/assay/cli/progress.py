"""Prints progress on stderr: one line that is rewritten on a terminal, else a new line every few seconds."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

from assay.cli import terminal
from assay.ground.printable import one_line, printable
from assay.mlperf.sut.progress import Progress

LINE_EVERY_S = 10.0
REDRAW_EVERY_S = 0.2


class ProgressLine:
    """Shows `phase: done of total, rate, time left`. A phase that ends before the first interval shows nothing. With
    --quiet nothing is shown. Leaving its block clears the line, so that an error stands on a line of its own."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = has_controls(self._stream)
        self._is_quiet = terminal.manner.is_quiet
        self._phase = ""
        self._shown = time.monotonic()
        self._open = False

    def say(self, text: str) -> None:
        """Prints a sentence above the progress line."""
        self._clear()
        if self._is_quiet:
            return
        print(printable(text), file=self._stream, flush=True)

    def show(self, progress: Progress) -> None:
        """Shows the progress of the job. A message of the SUT is printed as a sentence."""
        now = time.monotonic()
        if progress.message:
            self.say(f"  {progress.phase}: {progress.message}")
            return
        if progress.phase != self._phase:
            self._clear()
            self._phase, self._shown = progress.phase, now
        due = REDRAW_EVERY_S if self._live else LINE_EVERY_S
        if self._is_quiet or now - self._shown < due:
            return
        self._shown = now
        if self._live:
            self._open = True
            print(f"\r\x1b[K  {one_line(text(progress))}", end="", file=self._stream, flush=True)
        else:
            print(f"  {one_line(text(progress))}", file=self._stream, flush=True)

    def _clear(self) -> None:
        if self._open:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
            self._open = False

    def close(self) -> None:
        self._clear()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def has_controls(stream: TextIO) -> bool:
    """Whether the stream can rewrite lines: it is a terminal, and TERM is not `dumb`."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def text(progress: Progress) -> str:
    """A line such as `Offline accuracy: 12 of 30, 0.41 samples/s, 44 s left`, with the limit that is exceeded so
    far."""
    words = progress.phase
    if progress.total:
        words += f": {progress.done} of {progress.total}"
    if progress.samples_per_s:
        words += f", {progress.samples_per_s:.3g} samples/s"
    if progress.eta_s is not None:
        words += f", {duration(progress.eta_s)} left"
    if progress.live and progress.live.exceeded:
        words += f", p99 of {' and '.join(progress.live.exceeded)} over the limit"
    return words


def duration(seconds: float) -> str:
    """A duration such as `42 s`, `7 min`, `3.2 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
