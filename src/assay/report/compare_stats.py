"""How sure a difference between two runs is: ratios by blocks of queries, scores by pairs of samples.

All chance is drawn from a fixed seed: the same two runs give the same intervals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.mlperf.scoring import interval
from assay.report.series import Floats, Rows, percentile

BLOCKS = 20
"""Blocks of equal count that a run is cut into, by when its answers ended."""
T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Two-sided 95 % quantile of Student's t with 1, 2, … degrees of freedom; beyond the last it hardly changes."""
LEAST_QUERIES = 2 * BLOCKS
LEAST_SECONDS = 1.0
"""A shorter run measures how it began. Our own choice, as are the other limits here."""
COMPARED = (
    "tokens_per_s",
    "samples_per_s",
    *(f"{kind}_{place}" for kind in ("latency", "ttft", "tpot") for place in ("p50", "p99")),
)
"""Figures that are compared: those that can be computed again from rows, by the part that rounds limit."""
REPLICATES = 200
MEAN_REPLICATES = 2000
MOST_PAIRS = 100
NORMAL_80 = 0.8416
"""80 % quantile of the normal distribution."""
SEED = 20240101
MOST_LOG = 700.0
"""Logarithm of the largest ratio that an interval may end at: a float holds little more."""


@dataclass(frozen=True)
class Blocks:
    """A performance run in the order in which its answers ended, cut into BLOCKS."""

    seconds: Floats
    """[BLOCKS] from the last end of the block before to its own."""
    amounts: Mapping[str, Floats]
    """`tokens_per_s`, `samples_per_s` -> [BLOCKS] tokens or samples."""
    latencies: Mapping[str, list[Floats]]
    """`latency`, `ttft`, `tpot` -> the values of each block, ms."""


def too_little(rows: Rows) -> str:
    """Why no interval can be made of a run; empty where one can."""
    end_s = rows.end_s
    if len(end_s) < LEAST_QUERIES:
        return f"fewer than {LEAST_QUERIES} queries"
    if end_s.max() < LEAST_SECONDS:
        return f"a run of less than {LEAST_SECONDS:g} s"
    if len(np.unique(end_s)) < BLOCKS:
        return f"answers that ended at fewer than {BLOCKS} times"
    return ""


def blocks(rows: Rows) -> Blocks:
    """rows: those of one performance run that `too_little` has nothing against."""
    order = np.argsort(rows.end_s, kind="stable")
    parts = np.array_split(order, BLOCKS)
    ends = np.array([rows.end_s[part[-1]] for part in parts])
    tokens = rows.column("answer_tokens")
    return Blocks(
        np.diff(ends, prepend=0.0),
        {
            "tokens_per_s": np.array([tokens[part].sum() for part in parts]),
            "samples_per_s": np.array([float(len(part)) for part in parts]),
        },
        {kind: [values[part] for part in parts] for kind, values in rows.latencies_ms().items()},
    )


def ratio_interval(a: Blocks, b: Blocks, metric: str) -> tuple[float, float] | None:
    """95 % interval of B / A; None where a block of the metric has no value.

    Blocks are drawn with replacement, the same places of both runs; the spread of the ratio's logarithm over the
    draws makes the interval around the ratio of the whole runs. Blocks that follow each other are alike where the
    machine drifts: the spread is that of as few blocks as they are worth, and Student's t is of so many.
    """
    draws = np.random.default_rng(SEED).integers(0, BLOCKS, (REPLICATES, BLOCKS))
    whole = np.arange(BLOCKS)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log([_value(b, metric, drawn) / _value(a, metric, drawn) for drawn in (whole, *draws)])
        parts = _influence(b, metric) - _influence(a, metric)
    if not np.isfinite(logs).all() or not np.isfinite(parts).all():
        return None
    worth = effective_blocks(parts)
    spread = float(logs[1:].std(ddof=1)) * math.sqrt(BLOCKS / (BLOCKS - 1))
    half = _t(worth - 1) * spread * math.sqrt(BLOCKS / worth)
    return _around(float(logs[0]), half)


def effective_blocks(parts: Floats) -> float:
    """How many independent blocks these are worth, at least 2 and at most as many as there are: n (1 - r) / (1 + r).

    r is the correlation of a block with the next. A short series shows too little of it, on average (1 + 3 r) / n
    (Kendall 1954): that is added. Blocks that swing the other way round are not counted for more than they are.
    """
    n, centred = len(parts), parts - parts.mean()
    power = float(centred @ centred)
    if not power:
        return float(n)
    seen = float(centred[1:] @ centred[:-1]) / power
    r = min(max((n * seen + 1) / (n - 3), 0.0), 1.0)
    return max(n * (1 - r) / (1 + r), 2.0)


def _influence(run: Blocks, metric: str) -> Floats:
    """[BLOCKS] how far each block moves the logarithm of the figure, times BLOCKS."""
    if metric in run.amounts:
        amounts, seconds = run.amounts[metric], run.seconds
        return np.asarray(amounts / amounts.mean() - seconds / seconds.mean(), np.float64)
    return np.log([_value(run, metric, np.array([place])) for place in range(BLOCKS)])


def _around(middle: float, half: float) -> tuple[float, float]:
    """The interval of a ratio from that of its logarithm; its ends stay numbers, however wide it is."""
    return math.exp(max(middle - half, -MOST_LOG)), math.exp(min(middle + half, MOST_LOG))


def _t(freedom: float) -> float:
    return T_975[min(max(int(freedom), 1), len(T_975)) - 1]


@dataclass(frozen=True)
class RunSpread:
    """How much runs of the same differ: the standard deviation of the logarithm of a figure, from run to run."""

    spread: float
    freedom: int
    """Degrees of freedom that it is known with."""
    runs: int


def run_spread(groups: Sequence[Sequence[float]]) -> RunSpread | None:
    """Pooled over groups of runs of the same; None for fewer than two runs in every group. Values of 0 are left out."""
    logs = [np.log([value for value in group if value > 0]) for group in groups]
    freedom = sum(max(len(group) - 1, 0) for group in logs)
    if not freedom:
        return None
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in logs if len(group))
    return RunSpread(math.sqrt(squares / freedom), freedom, sum(map(len, logs)))


def earlier_interval(ratio: float, earlier: RunSpread) -> tuple[float, float]:
    """95 % interval of B / A of two single runs, each of which differs from its own mean as earlier runs did."""
    half = _t(earlier.freedom) * math.sqrt(2) * earlier.spread
    return _around(math.log(ratio), half)


def pairs_for(change: float, spread: float, freedom: float) -> int | None:
    """Pairs of runs that show a change (0.05 = 5 %) about four times in five; None for more than MOST_PAIRS.

    spread: of the logarithm of the ratio, from pair to pair, known with so many degrees of freedom. As Stein (1945)
    plans a second sample by a first one: Student's t of the smaller of the two, and NORMAL_80 for the power.
    """
    for pairs in range(3, MOST_PAIRS + 1):
        if (_t(min(freedom, pairs - 1)) + NORMAL_80) * spread <= math.log1p(change) * math.sqrt(pairs):
            return pairs
    return None


def repeat_interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of B / A from whole runs, at least two a side and all above 0; None for fewer.

    As many runs on both sides are taken in pairs, in their order: what a machine does to both of a pair falls out.
    Else by Welch's test of the logarithms.
    """
    if min(len(a), len(b)) < 2 or min(*a, *b) <= 0:
        return None
    one, other = np.log(a), np.log(b)
    if len(a) == len(b):
        spread, freedom = pair_spread(a, b) / math.sqrt(len(a)), len(a) - 1.0
    else:
        parts = [side.var(ddof=1) / len(side) for side in (one, other)]
        spread = math.sqrt(sum(parts))
        below = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (a, b)))
        freedom = sum(parts) ** 2 / below if below else float(len(a) + len(b) - 2)
    half = _t(freedom) * spread
    middle = float(other.mean() - one.mean())
    return _around(middle, half)


def pair_spread(a: Sequence[float], b: Sequence[float]) -> float:
    """Standard deviation of the logarithm of B / A, from pair to pair."""
    return float((np.log(b) - np.log(a)).std(ddof=1))


def order_bias(rates: Sequence[float], in_b: Sequence[bool]) -> float | None:
    """The logarithm that a steady drift adds to B / A by the order in which the runs were made; None where no drift is
    visible, at 95 %, or too few runs tell. rates: of all runs in that order; in_b: whether each is of B.

    Least squares of the logarithm over the place in the order, with a level for each side. A, B, B, A has none."""
    place, is_b, freedom = np.arange(len(rates), dtype=float), np.array(in_b, float), len(rates) - 3
    if freedom < 1 or is_b.min() == is_b.max():
        return None
    logs, columns = np.log(rates), np.stack([place, is_b, 1 - is_b], axis=1)
    fitted, _, rank, _ = np.linalg.lstsq(columns, logs, rcond=None)
    if rank < columns.shape[1]:
        return None
    inverse = np.linalg.inv(columns.T @ columns)
    spread = math.sqrt(float(((logs - columns @ fitted) ** 2).sum()) / freedom * float(inverse[0, 0]))
    slope = float(fitted[0])
    if abs(slope) <= _t(freedom) * spread:
        return None
    return slope * float(place[is_b == 1].mean() - place[is_b == 0].mean())


def _value(run: Blocks, metric: str, drawn: NDArray[np.int64]) -> float:
    if metric in run.amounts:
        return float(run.amounts[metric][drawn].sum() / run.seconds[drawn].sum())
    kind, _, percent = metric.partition("_p")
    parts = run.latencies.get(kind)
    if parts is None:
        return math.nan
    values = np.concatenate([parts[i] for i in drawn])
    values = values[~np.isnan(values)]
    if not len(values):
        return math.nan
    return percentile(values, float(percent))


def geometric_mean(values: Sequence[float]) -> float:
    """values: one or more, all above 0."""
    return math.exp(np.log(values).mean())


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided p of McNemar's test: the chance that of `lost + gained` samples that differ, each going either
    way with one half, so few or fewer go the rarer way, doubled. 1 where none differs. Example: 3 and 0: 0.25."""
    n, fewer = lost + gained, min(lost, gained)
    if n > 1000:  # the normal approximation with its correction for continuity; the exact sum would be slow
        return math.erfc(max(abs(lost - gained) - 1, 0) / math.sqrt(2 * n))
    tail: int = sum(math.comb(n, i) for i in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**n))


def mean_interval(differences: Floats) -> tuple[float, float] | None:
    """95 % interval of a mean by the paired bootstrap: samples drawn with replacement. None for fewer than
    `interval.LEAST`, and where all are equal: draws of them would leave no doubt at all. differences: at least one."""
    chance, n = np.random.default_rng(SEED), len(differences)
    if n < interval.LEAST or differences.min() == differences.max():
        return None
    means = [differences[chance.integers(0, n, n)].mean() for _ in range(MEAN_REPLICATES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
