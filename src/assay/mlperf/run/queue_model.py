"""A system under test seen as a queue that answers one query after another, on LoadGen's own schedule. Pure.

It is a model: a search takes its next rate from it, and the verdict from LoadGen alone. Many systems are near to it in
what decides a Server run, the wait for the first token, because work that is there at the same time is shared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.mlperf.rounds.early_stopping import allowed_over
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run.request_times import server_schedule_ns

Seconds = NDArray[np.float64]
LEAST_QUERIES = 700
"""Queries that every part of a run must have. A choice: early stopping lets one of 662 be late, so that a shorter part
passes only without any."""
LEAST_SHARE = 0.25
"""Least part of a run that can pass for the whole. A choice: a smaller one makes a search shorter and its PASS less
sure (benchmarks/tune.py counts both)."""
AS_HARD = 0.98
"""A part is as hard as the whole when its decisive wait is at least this share of the whole's. A choice, as above."""
PARTS = 30
"""Parts that are tried, from LEAST_SHARE on: each is 2.5 % of the run longer."""
STEPS = 30
"""Halvings of WIDEST: the rate is then known to more digits than any is told with."""
WIDEST = (0.2, 8.0)
"""Rates at full load that are looked for, as shares of the rate that was tried. A choice: of a system beyond
them the end of the range is told."""


@dataclass(frozen=True)
class SeenWait:
    """What was seen of a run, seconds."""

    decisive_s: float
    at_s: float
    """After its start."""
    base_s: float = 0.0
    """The wait of a query that meets no other."""


def waits_s(schedule_ns: NDArray[np.int64], full_rate: float) -> Seconds:
    """How long each query would wait for a server that answers one at a time, `full_rate` each second.

    Source: Lindley's recursion, W[i+1] = max(0, W[i] + service - gap), as a running minimum of a sum.
    """
    gaps = np.diff(schedule_ns) / 1e9
    walk = np.concatenate(([0.0], np.cumsum(1 / full_rate - gaps)))
    waits: Seconds = walk - np.minimum.accumulate(walk)
    return waits


def decisive_s(waits: Seconds, allowed: int) -> float:
    """The (allowed + 1)-th longest wait, s. A run is VALID while this wait keeps the limit. 0 for fewer waits."""
    place = len(waits) - 1 - allowed
    return float(np.partition(waits, place)[place]) if place >= 0 else 0.0


def full_rate(seeds: Seeds, target_qps: float, final: int, allowed: int, seen: SeenWait) -> float:
    """Queries/s at full load of the queue that had that decisive wait.

    Queries that still waited when it was seen had waited so long as they had.
    """
    schedule_ns = server_schedule_ns(seeds, target_qps, final)[:-1]
    schedule = schedule_ns / 1e9
    come = schedule <= seen.at_s
    so_far = seen.at_s - schedule[come]
    low, high = (share * target_qps for share in WIDEST)
    for _ in range(STEPS):
        middle = math.sqrt(low * high)
        waits = np.minimum(waits_s(schedule_ns, middle)[come] + seen.base_s, so_far)
        low, high = (middle, high) if decisive_s(waits, allowed) > seen.decisive_s else (low, middle)
    return math.sqrt(low * high)


def highest_rate(seeds: Seeds, full_rate: float, ttft_s: float, queries: Callable[[float], int]) -> float:
    """The highest rate that would be VALID if the system were a queue with `full_rate`.

    `queries`: target rate -> how many queries the whole run has at it.
    """
    low, high = 0.3 * full_rate, 1.5 * full_rate  # a short run may ask for more than a queue can do
    for _ in range(STEPS // 2):  # to 0.004 % of the rate
        middle = (low + high) / 2
        count = queries(middle)
        allowed = allowed_over(count)
        waits = waits_s(server_schedule_ns(seeds, middle, count)[:-1], full_rate)
        is_valid = allowed is not None and decisive_s(waits, allowed) <= ttft_s
        low, high = (middle, high) if is_valid else (low, middle)
    return low


def least_queries(seeds: Seeds, target_qps: float, full_rate: float, final: int) -> int:
    """How many queries of a run are as hard as the whole of it: LoadGen's worst burst is among them.

    The draws of the schedule scale with the rate, so the worst burst is at the same place at every rate.
    """
    if final <= LEAST_QUERIES:
        return final
    allowed = allowed_over(final) or 0
    waits = waits_s(server_schedule_ns(seeds, target_qps, final)[:-1], full_rate)
    whole = decisive_s(waits, allowed)
    for step in range(PARTS):
        share = LEAST_SHARE + (1 - LEAST_SHARE) * step / PARTS
        part = max(LEAST_QUERIES, math.ceil(share * final))
        if part < final and decisive_s(waits[:part], allowed) >= AS_HARD * whole:
            return part
    return final
