"""What a level of load came to. Pure.

Latencies are counted from when a request was due, so that a client that sends late cannot hide it. Failed requests
have no part in latencies, throughput or goodput. Percentiles are interpolated, as numpy's are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.endpoint.load.level import Goodput
from assay.endpoint.load.timing import LoadedRequest

PERCENTILES = (50, 90, 99)


@dataclass(frozen=True)
class Lengths:
    """In tokens: the length of prompts or answers."""

    least: int
    mean: float
    most: int


@dataclass(frozen=True)
class LevelFigures:
    """The figures of one level. Percentiles are `p50`, `p90`, `p99` in ms; empty when no request was answered."""

    requests: int
    answered: int
    failures: Mapping[str, int]
    """Kind of failure -> number of requests."""
    window_s: float
    """Seconds over which throughput is counted: from the start to the planned end of the level."""
    requests_per_s: float
    """Answers that ended in the window."""
    tokens_per_s: float
    """Tokens that arrived in the window, of answers that did not fail."""
    ttft_ms: Mapping[str, float]
    tpot_ms: Mapping[str, float]
    e2e_ms: Mapping[str, float]
    issue_delay_p99_ms: float | None
    """Time from when a request was due until it was sent."""
    good_per_s: float | None = None
    """Answers in the window that met all limits; None = no limits were given."""
    good_share: float | None = None
    """Counted over all requests, failed ones included."""
    prompt_tokens: Lengths | None = None
    answer_tokens: Lengths | None = None
    cached_tokens: int = 0
    """Prompt tokens that the server reports as taken from its cache."""
    shares: Mapping[str, int] = field(default_factory=dict)
    """Address of each server -> number of requests."""
    unstamped: int | None = None
    """Answers of which some bytes have the time at which the client read them, not the kernel's. None = it is of an
    Assay that had no other."""

    @property
    def tokens_per_s_user(self) -> float | None:
        """The tokens/s that nine of ten users see at least. Source: MLPerf Endpoints rules, tps_per_user at the p90
        of TPOT."""
        slow = self.tpot_ms.get("p90")
        return 1000 / slow if slow else None


def of_level(rows: Sequence[LoadedRequest], window_s: float, limits: Goodput | None) -> LevelFigures:
    """`rows`: every request of the level; `window_s`: its planned length."""
    answered = [row for row in rows if row.failure is None]
    end_ns = window_s * 1e9
    ended = [row for row in answered if row.end_ns <= end_ns]
    tokens = sum(count for row in answered for at, count in row.chunks if at <= end_ns)
    good = [row for row in answered if limits and limits.holds(row.ttft_ms, row.tpot_ms, row.e2e_ms)]
    prompts = [row.prompt_tokens for row in rows if row.prompt_tokens is not None]
    delays = [(row.sent_ns - row.due_ns) / 1e6 for row in rows]
    return LevelFigures(
        requests=len(rows),
        answered=len(answered),
        failures=dict(
            Counter(row.failure.kind.name for row in rows if row.failure is not None).most_common()
        ),
        window_s=window_s,
        requests_per_s=len(ended) / window_s,
        tokens_per_s=tokens / window_s,
        ttft_ms=_percentiles([row.ttft_ms for row in answered]),
        tpot_ms=_percentiles([row.tpot_ms for row in answered if row.tpot_ms is not None]),
        e2e_ms=_percentiles([row.e2e_ms for row in answered]),
        issue_delay_p99_ms=_percentiles(delays).get("p99"),
        good_per_s=sum(row.end_ns <= end_ns for row in good) / window_s if limits else None,
        good_share=len(good) / len(rows) if limits and rows else None,
        prompt_tokens=_lengths(prompts),
        answer_tokens=_lengths([row.tokens for row in answered]),
        cached_tokens=sum(row.cached_tokens or 0 for row in answered),
        shares=dict(Counter(row.endpoint for row in rows if row.endpoint)),
        unstamped=sum(not row.is_stamped for row in answered),
    )


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    found = np.percentile(np.array(values, np.float64), PERCENTILES)
    return {f"p{percent}": float(value) for percent, value in zip(PERCENTILES, found)}


def _lengths(counts: Sequence[int]) -> Lengths | None:
    return Lengths(min(counts), sum(counts) / len(counts), max(counts)) if counts else None


def pareto(
    levels: Sequence[LevelFigures | None],
    speed: Callable[[LevelFigures], float | None] = lambda found: found.tokens_per_s_user,
) -> list[bool]:
    """For each level: whether no other level is better in both tokens/s and tokens/s for each user."""
    points = [(each.tokens_per_s, speed(each) or 0.0) if each and each.answered else None for each in levels]

    def is_beaten(point: tuple[float, float]) -> bool:
        return any(
            other is not None and other != point and other[0] >= point[0] and other[1] >= point[1]
            for other in points
        )

    return [point is not None and not is_beaten(point) for point in points]
