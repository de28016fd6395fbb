"""Which rate is tried next on the way to the highest VALID one, and when the search is over. Pure.

The numbers below are choices. benchmarks/tune.py shows what a search with them finds and costs, with servers whose best
rate is known: docs/tune.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assay.ground.count import number

RESOLUTION = 1.015
"""The search ends when the lowest rate that fails is at most this many times the highest one that passes."""
OFFICIAL_SHARE = 0.99
"""The official run is at this share of the highest rate that passed."""
FIRST_STEP = 1.03
"""Factor of the first step away from the guess. Each further step in the same direction is the square of the one
before, up to MOST_STEP."""
MOST_STEP = 2.0
MOST_PROBES = 24
"""Then the search ends with the bracket that it has, so that each search ends."""
ABOVE = 1.1
"""Factor of the first probe above the guess. An overloaded system fails soonest, and shows best how fast it is."""
NEAR = 1.006
"""Factor below and above a forecast at which it is probed. Both probes together are a bracket that is narrow enough."""
CLOSE = 1.001
"""A forecast within this factor of an end of the bracket is not probed."""
ENOUGH = 1.01
"""A rate that passes is enough when no forecast is higher than it by this factor."""
MOST_COST = 4.0
"""Time that the probes may take together, in official runs, once the bracket is narrower than NARROW."""
NARROW = 1.03
MOST_OPEN, MOST_FORESEEN = 3, 8
"""Forecasts are probed up to this number of probes: the first while one end of the bracket is open, the second
otherwise. After it the bracket is only halved."""


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
    full_rate: float | None = None
    """Queries/s at full load of a queue that waits as this probe did; None = the wait was not what decided."""
    foreseen: float | None = None
    """The highest rate at which that queue would pass."""


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


def next_probe(history: Sequence[Tried], guess: float, duration_s: float) -> Probe | Done:
    """What to try after `history`. `guess`, samples/s: where to begin; `duration_s`: of the official run."""
    low, high = bracket(history)
    if len(history) >= MOST_PROBES:
        return Done(low, high, f"{MOST_PROBES} probes were made")
    if not history:
        return Probe(_rounded(guess), "the first guess")
    if (doubtful := _doubtful(history)) is not None:
        return Probe(doubtful, "again: it failed, and a higher rate passed")
    if low is not None and high is not None and high / low <= RESOLUTION:
        return Done(low, high, f"the bracket is narrower than {100 * (RESOLUTION - 1):.2g} %")
    if low is not None and (agreed := _agreed(history, low)) is not None:
        return Done(low, high, f"a probe that passes and one that fails foretell at most {number(agreed)}")
    if low is not None and high is not None and high / low <= NARROW and _is_dear(history, duration_s):
        return Done(low, high, f"a further probe would make more than {MOST_COST:g} official runs' time")
    if (foreseen := _foreseen(history, low, high)) is not None:
        return foreseen
    if low is None or high is None:
        return _widened(history, low, high)
    middle = _rounded(math.sqrt(low * high))
    if not low < middle < high:
        return Done(low, high, "no rate of four digits is between them")
    return Probe(middle, f"between {low:g}, which passes, and {high:g}, which fails")


def _agreed(history: Sequence[Tried], low: float) -> float | None:
    """What the probe at `low` and the last one that failed foretell, where both say that `low` is near enough."""
    passing = next(each for each in reversed(history) if each.target_qps == low)
    failing = next((each for each in reversed(history) if not each.passed), None)
    told = [each.foreseen for each in (passing, failing) if each is not None and each.foreseen is not None]
    return max(told) if len(told) == 2 and max(told) <= low * ENOUGH else None


def _is_dear(history: Sequence[Tried], duration_s: float) -> bool:
    """Whether one more, as long as the longest so far, is beyond MOST_COST."""
    took = [each.seconds for each in history]
    return sum(took) + max(duration_s, *took) > MOST_COST * duration_s


def _foreseen(history: Sequence[Tried], low: float | None, high: float | None) -> Probe | None:
    """Just below and just above the rate that the last probe foretells; None where that does not narrow the bracket,
    and where it has not led to an end."""
    is_open = low is None or high is None
    if len(history) > (MOST_OPEN if is_open else MOST_FORESEEN):
        return None
    if low is not None and high is not None and (rate := _borne_out(history)) is not None:
        below = rate / NEAR  # with the one above it, that makes the bracket narrow enough
        if low * CLOSE < below < high / CLOSE:
            return Probe(_rounded(below), f"just below {number(rate)}, which the last probe bears out")
    if (rate := history[-1].foreseen) is None:
        return None
    below, above = rate / NEAR, rate * NEAR
    if low is None and high is not None:
        found = [(min(below, high / NEAR), "below")]
    elif high is None and low is not None:
        found = [(max(above, low * NEAR), "above")]
    else:
        assert low is not None and high is not None
        found = [
            (at, side) for at, side in ((below, "below"), (above, "above")) if low * CLOSE < at < high / CLOSE
        ]
    why = f"{number(rate)}, which the last probe foretells"
    return next((Probe(_rounded(at), f"just {side} {why}") for at, side in found), None)


def _borne_out(history: Sequence[Tried]) -> float | None:
    """What a probe that passed foretold, where the last one was just above it and failed. The one that failed saw only
    the beginning of its run, and foretells less well: of a time per token, not of a queue's wait, which it is near."""
    if len(history) < 2 or not history[-2].passed or history[-2].full_rate is not None:
        return None
    if (rate := history[-2].foreseen) is None:
        return None
    is_beside = history[-1].target_qps == _rounded(rate * NEAR)
    return rate if is_beside and not history[-1].passed else None


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
    """What to try after an official run that had `late` queries over a limit. Late queries grow fast with the rate:
    one to five percent less, by how far it was off (docs/tune.md, step 5)."""
    return _rounded(target_qps * (0.99 if late <= 1.25 * allowed else 0.98 if late <= 2 * allowed else 0.95))


def _rounded(rate: float) -> float:
    """Four significant digits."""
    return float(f"{rate:.4g}")
