"""The live view of `assay bench` on a terminal: a few lines on stderr that rewrite themselves (docs/live.md)."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TextIO

from assay.cli import live_text, terminal
from assay.cli.live_text import Look
from assay.cli.progress import ProgressLine, duration, has_controls
from assay.ground.printable import printable
from assay.mlperf.sut.progress import Progress

REDRAW_EVERY_S = 0.25
CLEAR_LINE, UP, CLEAR_BELOW = "\x1b[K", "\x1b[{}A", "\x1b[J"


def view(stream: TextIO | None = None) -> ProgressLine | LiveView:
    """The live view if the stream is a terminal that can rewrite lines; otherwise plain lines or nothing."""
    stream = stream or sys.stderr
    is_shown = has_controls(stream) and not terminal.manner.is_quiet
    return LiveView(stream) if is_shown else ProgressLine(stream)


class LiveView:
    """Shows the current phase. A finished phase leaves one line. It has the interface of `ProgressLine`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._latest: Progress | None = None
        self._started = self._drawn_at = 0.0
        self._widths: list[int] = []
        """Widths of the lines on the screen, in columns."""

    def say(self, text: str) -> None:
        """Prints a sentence above the view."""
        self._erase()
        print(printable(text), file=self._stream, flush=True)

    def show(self, progress: Progress) -> None:
        """Shows the progress of the job. A message of the SUT is printed as a sentence."""
        if progress.message:
            self.say(f"  {progress.phase}: {progress.message}")
            return
        now = time.monotonic()
        if self._latest is None or progress.phase != self._latest.phase:
            self._leave()
            self._started, self._drawn_at = now, 0.0
        self._latest = progress
        if now - self._drawn_at >= REDRAW_EVERY_S:
            self._drawn_at = now
            self._draw(progress)

    def close(self) -> None:
        self._leave()

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _draw(self, progress: Progress) -> None:
        look = look_of(self._stream)
        lines = live_text.lines(progress, look)
        text = "".join(f"{line.shown(look)}{CLEAR_LINE}\n" for line in lines)
        print(f"{self._to_top(look.columns)}{text}{CLEAR_BELOW}", end="", file=self._stream, flush=True)
        self._widths = [min(len(line.text), look.columns - 1) for line in lines]

    def _to_top(self, columns: int) -> str:
        """The control sequence that moves to the first line of the view. In a narrower terminal the old lines take
        several rows."""
        rows = sum(max(1, -(-width // columns)) for width in self._widths)
        return UP.format(rows) if rows else ""

    def _erase(self) -> None:
        if self._widths:
            up = self._to_top(look_of(self._stream).columns)
            print(f"{up}{CLEAR_BELOW}", end="", file=self._stream, flush=True)
            self._widths = []

    def _leave(self) -> None:
        """Ends the phase. One line of it stays."""
        self._erase()
        latest, self._latest = self._latest, None
        if latest is not None and latest.total:
            took = duration(time.monotonic() - self._started)
            self.say(f"  {latest.phase:<20} {latest.done:,} of {latest.total:,} in {took}")


def look_of(stream: TextIO) -> Look:
    """What the stream can show now; a terminal may change its width. Colours are used only if NO_COLOR is unset or
    empty."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = shutil.get_terminal_size().columns
    has_blocks = (stream.encoding or "").lower().replace("-", "") == "utf8"
    return Look(max(20, columns), not os.environ.get("NO_COLOR"), has_blocks)
