"""A server whose time per token grows with its open streams, on LoadGen's own schedule. Pure.

It is a model, as `queue_model` is one of the wait for a first token: a search takes its next rate from it where the
time per token decides, and the verdict from LoadGen alone. All answers have the mean length, all streams one pace.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.mlperf.rounds.early_stopping import allowed_over
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run.request_times import server_schedule_ns

STEPS = 24
"""Halvings of WIDEST, in logarithms: the slowing is then known to one part in a million."""
MOST_QUERIES = 20_000
"""Of a longer run only the first so many are looked at. A choice: one pass over as many takes 13 ms of CPU (AMD EPYC),
and a foretold rate takes 36 passes."""
WIDEST = (1e-6, 1e3)
"""Slowing by a stream that is looked for, as shares of the pace of one alone. A choice: from a server that does not
notice a million streams to one that a second stream stops."""


@dataclass(frozen=True)
class SeenPace:
    """What was seen of a run, seconds."""

    decisive_s: float
    """The longest time per token but as many as may be late."""
    base_s: float
    """The shortest: of a stream that met no other."""
    tokens: float
    """Mean length of an answer."""
    at_s: float
    """After its start."""


def paces_s(
    schedule_s: Sequence[float], base_s: float, slowing: float, tokens: float
) -> list[tuple[float, float]]:
    """(end, time per token) of each query. Each of n open streams takes `base_s` (1 + `slowing` (n - 1)) a token."""
    made: list[tuple[float, float]] = []
    open_: deque[tuple[float, float]] = deque()
    """(begin, place of the last token) of each, in the order in which they end."""
    now = place = 0.0
    for due in [*schedule_s, math.inf]:
        while open_:
            pace = base_s * (1 + slowing * (len(open_) - 1))
            end = now + (open_[0][1] - place) * pace
            if end > due:
                place += (due - now) / pace
                break
            begin, place = open_.popleft()
            now = end
            made.append((end, (end - begin) / tokens))
        now = due
        open_.append((due, place + tokens))
    return made


def fitted_slowing(seeds: Seeds, target_qps: float, final: int, allowed: int, seen: SeenPace) -> float:
    """The slowing with which the run would have shown what was seen: by which share of its pace alone a further stream
    slows each.

    final: queries of the whole run; allowed: how many of them may be late.
    """
    schedule = _schedule(seeds, target_qps, final)
    come = [at for at in schedule if at <= seen.at_s]
    low, high = WIDEST
    for _ in range(STEPS):
        middle = math.sqrt(low * high)
        paces = [pace for end, pace in paces_s(come, seen.base_s, middle, seen.tokens) if end <= seen.at_s]
        # A server that is so slow that too few have ended by then is too slow.
        is_slower = len(paces) <= allowed or _decisive(paces, allowed) > seen.decisive_s
        low, high = (low, middle) if is_slower else (middle, high)
    return math.sqrt(low * high)


def highest_rate(
    seeds: Seeds,
    target_qps: float,
    seen: SeenPace,
    slowing: float,
    tpot_s: float,
    queries: Callable[[float], int],
) -> float | None:
    """The highest rate, queries/s, at which no more answers are slower than `tpot_s` than may be.

    It is looked for around `target_qps`; None where no rate there would do: the model says nothing then.
    `slowing`: as `fitted_slowing` gives it; `queries`: target rate -> how many queries the whole run has at it.
    """
    lowest, high = 0.1 * target_qps, 4 * target_qps  # a choice: the probes of a search lie closer
    low = lowest
    for _ in range(STEPS // 2):  # to 0.1 % of the rate
        middle = math.sqrt(low * high)
        count = min(MOST_QUERIES, queries(middle))
        allowed = allowed_over(count)
        found = paces_s(_schedule(seeds, middle, count), seen.base_s, slowing, seen.tokens)
        is_valid = allowed is not None and _decisive([pace for _, pace in found], allowed) <= tpot_s
        low, high = (middle, high) if is_valid else (low, middle)
    return low if low > lowest else None


def _decisive(paces: Sequence[float], allowed: int) -> float:
    place = len(paces) - 1 - allowed
    return float(np.partition(np.array(paces), place)[place]) if place >= 0 else 0.0


def _schedule(seeds: Seeds, target_qps: float, final: int) -> list[float]:
    schedule: list[float] = (
        server_schedule_ns(seeds, target_qps, min(final, MOST_QUERIES))[:-1] / 1e9
    ).tolist()
    return schedule
