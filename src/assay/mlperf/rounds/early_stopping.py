"""LoadGen's early-stopping rule for latency limits, and how a whole run will end, judged from a part. Pure.

Over n queries, t of which are over the limit, the rule holds where a share of 1 % over the limit would give t or fewer
with a chance of at most 1 %. That is stricter than the 99th percentile: 1,000 queries may have two over the limit.
Source: LoadGen, early_stopping.cc (MinPassingQueriesFinder: percentile 0.99, confidence 0.99, tolerance 0).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from functools import lru_cache

PERCENTILE = 0.99
CONFIDENCE = 0.99
"""Source of both: the module's."""
BISECTIONS = 60
"""Halvings of [0, 1], beyond the precision of a double."""


class Judgement(Enum):
    """How a whole run at the same rate will end, judged from the queries answered so far."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNSURE = "UNSURE"


def chance_of_at_most(over: int, n: int, share: float) -> float:
    """P(X <= over) of a binomial X over n queries, each over its limit with probability `share`."""
    if over >= n or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    yes, no, whole = math.log(share), math.log1p(-share), math.lgamma(n + 1)
    logs = [
        whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no for k in range(over + 1)
    ]
    top = max(logs)
    return min(1.0, math.exp(top) * math.fsum(math.exp(each - top) for each in logs))


@lru_cache(maxsize=4096)
def least_queries(over: int, percentile: float = PERCENTILE) -> int:
    """The smallest number of queries with which `over` of them may be over the limit. 0 -> 459, 1 -> 662."""

    def holds(n: int) -> bool:
        return chance_of_at_most(over, n, 1 - percentile) <= 1 - CONFIDENCE

    low, high = over, max(2 * over, 1)
    while not holds(high):
        low, high = high, 2 * high
    return _first(holds, low, high)


@lru_cache(maxsize=4096)
def allowed_over(n: int, percentile: float = PERCENTILE) -> int | None:
    """How many of n queries may be over the limit; None = the rule holds for no run this short."""
    if n < least_queries(0, percentile):
        return None
    # Never more than the percentile itself allows: n (1 - p) rounded up is beyond the rule.
    beyond = math.ceil(n * (1 - percentile)) + 1
    return _first(lambda over: least_queries(over, percentile) > n, 0, beyond) - 1


def share_bounds(over: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's bounds of the share over the limit, each one-sided at `confidence`.

    They hold for independent queries. Those of a queue are not: bursts make late queries come together.
    """
    doubt = 1 - confidence
    low = 0.0 if over == 0 else _crossing(lambda share: 1 - chance_of_at_most(over - 1, n, share) > doubt)
    high = 1.0 if over >= n else _crossing(lambda share: chance_of_at_most(over, n, share) < doubt)
    return low, high


def judge(over: int, seen: int, final: int, confidence: float = 0.95) -> Judgement:
    """What `over` late queries of the first `seen` say of a run of `final`.

    FAIL is certain: more are late than the whole run may have. PASS before the end is an estimate: the upper bound of
    the share is at most what the whole run may have.
    """
    allowed = allowed_over(final)
    if allowed is None or over > allowed:
        return Judgement.FAIL
    if seen >= final or share_bounds(over, seen, confidence)[1] <= allowed / final:
        return Judgement.PASS
    return Judgement.UNSURE


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The smallest number in [low, high] for which `holds`, which is true from there on; it is true for `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _crossing(is_above: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return (low + high) / 2
