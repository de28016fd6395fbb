"""Which replica is silent for too long: one that says nothing at all, or that answers nothing while others do. Pure.

Times: s on any one clock.
"""

from __future__ import annotations

from assay.mlperf.sut.progress import Watchdog

TIMES_LONGEST = Watchdog.TIMES_LONGEST
"""A replica hangs when it answers nothing for this many times the longest wait for an answer so far, of any replica: by
the same measure as a run without replicas."""


class Silences:
    """When each replica was heard of, and when it answered."""

    def __init__(self, replicas: int, least_s: float) -> None:
        """`least_s`: nobody is given up sooner."""
        self._least_s = least_s
        self._heard: list[float | None] = [None] * replicas
        """None = it is still being started; whoever waits for that has a limit of their own."""
        self._since = [0.0] * replicas
        """The last answer, or the first query after a time without any."""
        self._longest_s = 0.0
        """0 = nobody has answered yet, so nobody knows how long it takes."""

    def heard(self, rank: int, now: float) -> None:
        """It said something, be it that it is there."""
        self._heard[rank] = now

    def given(self, rank: int, now: float, held: int) -> None:
        """Queries; it held so many before."""
        if not held:
            self._since[rank] = now

    def answered(self, rank: int, now: float) -> None:
        self._heard[rank] = now
        self._longest_s = max(self._longest_s, now - self._since[rank])
        self._since[rank] = now

    def why_lost(self, rank: int, now: float, held: int, has_others: bool) -> str:
        """Why it is to be given up; empty = it is not. `held`: its open queries."""
        heard = self._heard[rank]
        if heard is not None and (silent_s := now - heard) > self._least_s:
            return f"nothing was heard of it for {silent_s:.0f} s"
        limit_s = max(self._least_s, TIMES_LONGEST * self._longest_s)
        if held and has_others and self._longest_s and (idle_s := now - self._since[rank]) > limit_s:
            return (
                f"it answered none of its {held} queries for {idle_s:.0f} s; "
                f"no answer of any replica took more than {self._longest_s:.3g} s so far"
            )
        return ""
