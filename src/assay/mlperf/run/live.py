"""TTFT and TPOT of a run that is still going on, from the stamps that the LoadGen child keeps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assay.mlperf.run.request_times import Call, CallReader, Recorder

SHARE = 0.99
"""The percentile that the rounds limit."""
STEPS = 200
"""Bins of a histogram for a factor of e: a value is known to half a percent."""
MOST_BINS = 46 * STEPS
"""Up to e^46 ns, some 3,000 years."""
NS_PER_MS = 1e6


@dataclass(frozen=True)
class LatencySoFar:
    """Percentile 99 in ms; None while no answer tells it."""

    ttft_p99_ms: float | None = None
    tpot_p99_ms: float | None = None


@dataclass
class Durations:
    """How long things took, kept as a histogram: its size does not grow with the run."""

    bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(MOST_BINS, np.int64))
    count: int = 0

    def add(self, ns: float) -> None:
        self.bins[_bin(ns)] += 1
        self.count += 1

    def p99_ms(self, at_least_ns: Iterable[float] = ()) -> float | None:
        """The value that 99 % do not exceed. `at_least_ns`: further ones, which have taken so long and go on."""
        more = [_bin(ns) for ns in at_least_ns]
        total = self.count + len(more)
        if not total:
            return None
        counts = self.bins + np.bincount(np.array(more, np.int64), minlength=MOST_BINS) if more else self.bins
        place = int(np.searchsorted(np.cumsum(counts), SHARE * total))
        return math.exp((place + 0.5) / STEPS) / NS_PER_MS


class RunningLatencies:
    """Reads each stamp once. A query's time counts from when it was issued.

    LoadGen counts from when it had planned the query, which only differs where its own client falls behind.
    """

    def __init__(self) -> None:
        self._reader = CallReader()
        self._waiting: dict[int, int] = {}
        """Query without a first token -> when it was issued, ns."""
        self._begun: dict[int, int] = {}
        """Query without an end -> when its first token came, ns."""
        self._ttft, self._tpot = Durations(), Durations()

    def look(self, times: Recorder, now_ns: int) -> LatencySoFar:
        """So far at `now_ns` of the stamps' clock; a query that still waits has waited so long at least."""
        issued, first, done = self._reader.new(times)
        for call in issued:
            self._waiting.update(dict.fromkeys(call.ids, call.at_ns))
        for call in first:
            self._begin(call)
        for call in done:
            self._end(call)
        p99 = self._ttft.p99_ms()
        ages = [now_ns - at for at in self._waiting.values()]
        overdue = [age for age in ages if p99 is not None and age > p99 * NS_PER_MS]
        return LatencySoFar(self._ttft.p99_ms(overdue) if overdue else p99, self._tpot.p99_ms())

    def _begin(self, call: Call) -> None:
        for query in call.ids:
            issued = self._waiting.pop(query, None)
            if issued is not None:
                self._ttft.add(call.at_ns - issued)
            self._begun[query] = call.at_ns

    def _end(self, call: Call) -> None:
        for query, tokens in zip(call.ids, call.values):
            self._waiting.pop(query, None)
            begun = self._begun.pop(query, None)
            if begun is not None and tokens > 1:
                self._tpot.add((call.at_ns - begun) / (tokens - 1))


def _bin(ns: float) -> int:
    return min(MOST_BINS - 1, int(STEPS * math.log(max(ns, 1.0))))
