"""Progress of a job and its pace, for the display and for the watchdog."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class LiveFigures:
    """A LoadGen run so far. None = nothing is known yet, or the run has no such figure or limit."""

    seconds: float
    least_seconds: float = 0.0
    """How long LoadGen must run; 0 = it has no minimum."""
    tokens_per_s: float | None = None
    in_flight: int = 0
    """Queries that were issued and have not been answered."""
    ttft_p99_ms: float | None = None
    tpot_p99_ms: float | None = None
    ttft_limit_ms: float | None = None
    tpot_limit_ms: float | None = None
    is_judged: bool = False
    """LoadGen will say VALID or INVALID: not of an accuracy run."""
    worst_endpoint: str = ""
    """Which of several endpoints does worst, and how; empty = there are not several."""

    @property
    def exceeded(self) -> tuple[str, ...]:
        """The figures that are over their limit so far: `TTFT`, `TPOT`."""
        pairs = {
            "TTFT": (self.ttft_p99_ms, self.ttft_limit_ms),
            "TPOT": (self.tpot_p99_ms, self.tpot_limit_ms),
        }
        return tuple(name for name, (ms, limit) in pairs.items() if ms and limit and ms > limit)


@dataclass(frozen=True)
class Progress:
    """Where a job is. Given to `on_progress` at every change."""

    phase: str
    """`loading`, `probe`, or a run's title such as `Offline performance`."""
    done: int = 0
    total: int | None = None
    """Samples; None while nothing is counted."""
    samples_per_s: float | None = None
    eta_s: float | None = None
    message: str = ""
    """A line from the SUT, or about what is waited for."""
    live: LiveFigures | None = None
    """Of a LoadGen run; None for other phases."""


OnProgress = Callable[[Progress], None]


def ignore(_progress: Progress) -> None:
    """Ignores progress."""


class Watchdog:
    """Notices answers that never come. Every answer and every line from the SUT counts as life.

    Without a limit of its own it waits 20 times the longest silence seen so far, at least 10 minutes, and 3
    hours for the first answer: a large model on a CPU may need them. All three are choices: a run that waits longer is
    ended.
    """

    FIRST_SECONDS = 3 * 3600.0
    LEAST_SECONDS = 600.0
    TIMES_LONGEST = 20.0

    def __init__(self, limit_s: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._fixed, self._clock = limit_s, clock
        self._longest = 0.0
        self._answered = 0
        self._heard_at = clock()
        self._is_waiting = False

    def saw(self, issued: int, done: int) -> None:
        """New counts; with nothing outstanding there is nothing to wait for."""
        now = self._clock()
        if done > self._answered:
            self._longest = max(self._longest, now - self._heard_at)
            self._answered = done
            self._heard_at = now
        elif issued == done:
            self._heard_at = now
        self._is_waiting = issued > done

    def heard(self) -> None:
        """The SUT sent a message."""
        self._heard_at = self._clock()

    @property
    def limit_s(self) -> float:
        if self._fixed is not None:
            return self._fixed
        if not self._answered:
            return self.FIRST_SECONDS
        return max(self.LEAST_SECONDS, self.TIMES_LONGEST * self._longest)

    @property
    def is_overdue(self) -> bool:
        return self._is_waiting and self._clock() - self._heard_at > self.limit_s
