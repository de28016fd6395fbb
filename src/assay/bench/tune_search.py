"""Which rate is tried next on the way to the highest VALID one, and when the search is over. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.mlperf.rounds.early_stopping import allowed_over
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run.request_times import server_schedule_ns

RESOLUTION = 1.015
"""The search ends when the lowest rate that fails is at most this many times the highest one that passes."""
OFFICIAL_SHARE = 0.99
"""The official run is at this share of the highest rate that passed."""
FIRST_STEP = 1.03
"""From the first guess; each further step in the same direction is the square of the one before, up to MOST_STEP."""
MOST_STEP = 2.0
MOST_PROBES = 24
LEAST_SHARE = 0.25
"""Least part of a run that can pass for the whole."""
LEAST_QUERIES = 700
FULL = 0.995
"""Highest load that the model of a queue is asked about; beyond it no queue ever ends."""


@dataclass(frozen=True)
class Tried:
    """A probe and what it came to."""

    target_qps: float
    passed: bool
    reason: str
    """Why this rate was tried."""
    outcome: str
    """Why it passed or failed."""
    final: int
    """Queries of the whole run at this rate."""
    allowed: int
    """How many of them may be late."""
    issued: int
    answered: int
    late_ttft: int
    late_tpot: int
    seconds: float
    is_whole: bool
    """Whether it ran to its end, and LoadGen judged it."""
    folder: str


@dataclass(frozen=True)
class Probe:
    target_qps: float
    reason: str


@dataclass(frozen=True)
class Done:
    """The bracket: the highest rate that passes and the lowest that fails. None = there is none."""

    low: float | None
    high: float | None
    reason: str


def next_probe(history: Sequence[Tried], guess: float) -> Probe | Done:
    """What to try after `history`. `guess`, samples/s: where to begin."""
    low, high = bracket(history)
    if len(history) >= MOST_PROBES:
        return Done(low, high, f"{MOST_PROBES} probes were made")
    if not history:
        return Probe(_rounded(guess), "the first guess")
    if (doubtful := _doubtful(history)) is not None:
        return Probe(doubtful, "again: it failed, and a higher rate passed")
    if low is None or high is None:
        return _widened(history, low, high)
    middle = _rounded(math.sqrt(low * high))
    if high / low <= RESOLUTION or not low < middle < high:
        return Done(low, high, f"the bracket is narrower than {100 * (RESOLUTION - 1):.2g} %")
    return Probe(middle, f"between {low:g}, which passes, and {high:g}, which fails")


def bracket(history: Sequence[Tried]) -> tuple[float | None, float | None]:
    """(highest rate that passes below every failing one, lowest rate that fails); a rate's last outcome counts."""
    last = {each.target_qps: each.passed for each in history}
    high = min((rate for rate, passed in last.items() if not passed), default=None)
    low = max(
        (rate for rate, passed in last.items() if passed and (high is None or rate < high)), default=None
    )
    return low, high


def _doubtful(history: Sequence[Tried]) -> float | None:
    """The lowest failing rate, where a higher one passes and it was tried once only."""
    last = {each.target_qps: each.passed for each in history}
    _, high = bracket(history)
    if high is None or not any(passed and rate > high for rate, passed in last.items()):
        return None
    return high if sum(each.target_qps == high for each in history) == 1 else None


def _widened(history: Sequence[Tried], low: float | None, high: float | None) -> Probe:
    """Outside of all that was tried."""
    step = min(MOST_STEP, FIRST_STEP ** (2 ** min(len(history) - 1, 10)))
    if low is not None:
        return Probe(_rounded(low * step), f"above {low:g}, the highest that passes; none has failed")
    assert high is not None
    return Probe(_rounded(high / step), f"below {high:g}, the lowest that fails; none has passed")


def stepped_down(target_qps: float, late: int, allowed: int) -> float:
    """What to try after an official run that had `late` queries over a limit. Late queries grow fast with the rate."""
    return _rounded(target_qps * (0.99 if late <= 1.25 * allowed else 0.98 if late <= 2 * allowed else 0.95))


def waits_s(schedule_ns: NDArray[np.int64], full_rate: float) -> NDArray[np.float64]:
    """How long each query would wait for a server that answers one at a time, `full_rate` each second.

    Source: Lindley's recursion, W[i+1] = max(0, W[i] + service - gap), as a running minimum of a sum.
    """
    gaps = np.diff(schedule_ns) / 1e9
    walk = np.concatenate(([0.0], np.cumsum(1 / full_rate - gaps)))
    waits: NDArray[np.float64] = walk - np.minimum.accumulate(walk)
    return waits


def first_guess(seeds: Seeds, full_rate: float, ttft_s: float, duration_s: float) -> float:
    """The highest rate that would be VALID on LoadGen's own schedule, if the system were a queue with `full_rate`."""
    low, high = 0.3 * full_rate, 1.5 * full_rate  # a short run may ask for more than a queue can do
    for _ in range(12):
        middle = (low + high) / 2
        count = max(459, math.ceil(middle * duration_s))
        waits = waits_s(server_schedule_ns(seeds, middle, count)[:-1], full_rate)
        is_valid = int((waits > ttft_s).sum()) <= (allowed_over(count) or 0)
        low, high = (middle, high) if is_valid else (low, middle)
    return _rounded(low)


def least_queries(seeds: Seeds, target_qps: float, full_rate: float, final: int) -> int:
    """How many queries of a run are as hard as the whole of it: their share of late ones is at least as great.

    Seen on a queue with `full_rate` and LoadGen's own schedule, whose worst burst is at the same place at every rate.
    """
    rate = min(target_qps, FULL * full_rate)
    waits = waits_s(server_schedule_ns(seeds, rate, final)[:-1], full_rate)
    allowed = max(1, allowed_over(final) or 0)
    late = np.cumsum(waits >= np.partition(waits, final - allowed)[final - allowed])
    seen = np.arange(1, final + 1)
    hard = (late * final >= late[-1] * seen) & (seen >= max(LEAST_QUERIES, LEAST_SHARE * final))
    return int(seen[hard][0]) if hard.any() else final


def _rounded(rate: float) -> float:
    """Four significant digits."""
    return float(f"{rate:.4g}")
