"""Progress on stderr: one line that rewrites itself on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

LINE_EVERY_S = 10.0
REDRAW_EVERY_S = 0.2


class ProgressLine:
    """Shows `label: done of total, rate, time left`. Quiet for work that ends before the first interval."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._label = ""
        self._started = self._shown = time.monotonic()
        self._open = False

    def say(self, text: str) -> None:
        """A sentence of its own, above the progress line."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def show(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        if label != self._label:
            self._clear()
            self._label, self._started, self._shown = label, now, now
        due = REDRAW_EVERY_S if self._live else LINE_EVERY_S
        if now - self._shown < due:
            return
        self._shown = now
        text = f"  {label}: {done} of {total}{self._pace(done, total, now - self._started)}"
        if self._live:
            self._open = True
            print(f"\r\x1b[K{text}", end="", file=self._stream, flush=True)
        else:
            print(text, file=self._stream, flush=True)

    def _pace(self, done: int, total: int, seconds: float) -> str:
        if not done or seconds <= 0:
            return ""
        rate = done / seconds
        return f", {rate:.3g} samples/s, {duration((total - done) / rate)} left"

    def _clear(self) -> None:
        if self._open:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
            self._open = False

    def close(self) -> None:
        self._clear()


def duration(seconds: float) -> str:
    """`42 s`, `7 min`, `3.2 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
