"""Figures of two runs as ratios, each with an interval and where that comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.config import Mode, Scenario, TextEnum
from assay.mlperf.record.result import Figure, ModeResult, RunResult
from assay.mlperf.scoring.interval import ALL_EQUAL
from assay.report import compare_stats as stats
from assay.report.run_side import RunSide, values_of

NOISE_FLOOR = 0.02
"""A ratio nearer to 1 is no difference, whatever its interval."""
LONE_FLOOR = 10.0
"""With one run a side and no earlier runs, nothing is concluded below this factor: no number says how much the machine
differs from run to run. Runs of the same on a shared machine differed by a factor of 7 (docs/report.md)."""
WIDE = 2.0
"""An interval that holds 1 and reaches beyond this factor, up or down, is too wide to conclude anything: the runs may
be equal, and one may be more than twice as fast. The rule is GRADE's for imprecision, an interval that holds no effect
and an appreciable one as well (Guyatt and others, J Clin Epidemiol 64, 2011, 1283); that a factor of 2 is appreciable
for the speed of single runs is our own choice."""
SOUGHT = 0.05
"""The change that a comparison is planned for."""


class Basis(TextEnum):
    """Where an interval comes from."""

    RUNS = "repeats"
    EARLIER = "earlier runs"
    BLOCKS = "blocks of one run"


@dataclass(frozen=True)
class RateRatio:
    """One figure of both runs."""

    scenario: Scenario
    metric: str
    unit: str
    a: float
    b: float
    interval: tuple[float, float] | None
    """95 %, of B / A."""
    reason: str = ""
    """Why there is no interval."""
    runs: tuple[int, int] = (1, 1)
    """Of A and of B. With more than one on both sides, `a` and `b` are geometric means and the interval is of runs."""
    basis: Basis = Basis.BLOCKS
    earlier: stats.RunSpread | None = None
    """How much earlier runs of the same differed; None = too few are known."""
    pairs: int | None = None
    """Pairs of runs that would show a change of SOUGHT; None = too many, or not known."""

    @property
    def ratio(self) -> float | None:
        return self.b / self.a if self.a else None

    @property
    def conclusion(self) -> str:
        if self.reason == ALL_EQUAL and self.ratio == 1:
            return "no difference shown"
        if self.interval is None or not self.ratio:
            return "too little to conclude"
        low, high = self.interval
        if low <= 1 <= high or abs(self.ratio - 1) < NOISE_FLOOR:
            return "no difference shown"
        if self.basis is Basis.BLOCKS and 1 / LONE_FLOOR < self.ratio < LONE_FLOOR:
            return "too little to conclude"
        return "B is higher" if self.ratio > 1 else "B is lower"


def ratios(a: RunSide, b: RunSide, one: ModeResult, other: ModeResult) -> Iterator[RateRatio]:
    """Of each figure that both runs have. Latencies of Offline are left out: all queries are there at once, so they
    tell the place in the queue, which is the rate once more."""
    why, blocks = _blocks(a, b, one.scenario)
    for found in one.figures:
        second = other.figure(found.metric)
        if second is None or found.metric not in stats.COMPARED:
            continue
        if one.scenario is Scenario.OFFLINE and found.metric.startswith("latency"):
            continue
        ratio = _repeated(a, b, one.scenario, found)
        yield _unless_useless(ratio or _lone(a, b, one.scenario, found, second, blocks, why))


def _unless_useless(ratio: RateRatio) -> RateRatio:
    """Without its interval where that is too wide to conclude anything, or has no width."""
    if ratio.interval is None:
        return ratio
    low, high = ratio.interval
    if low == high:
        return replace(ratio, interval=None, reason=ALL_EQUAL)
    if low <= 1 <= high and (low < 1 / WIDE or high > WIDE):
        return replace(ratio, interval=None, reason=f"holds 1, and reaches beyond a factor of {WIDE:g}")
    return ratio


def _blocks(a: RunSide, b: RunSide, scenario: Scenario) -> tuple[str, tuple[stats.Blocks, ...]]:
    """Why there are no blocks of both runs, or the blocks."""
    rows = [side.rows(scenario, Mode.PERFORMANCE) for side in (a, b)]
    whys = [stats.too_little(each) if each else "no requests.parquet" for each in rows]
    why = next((f"{letter}: {why}" for letter, why in zip("AB", whys) if why), "")
    return why, () if why else tuple(stats.blocks(each) for each in rows if each)


def _repeated(a: RunSide, b: RunSide, scenario: Scenario, found: Figure) -> RateRatio | None:
    """By whole runs, where both sides have several."""
    told = [side.values(scenario, found.metric) for side in (a, b)]
    interval = stats.repeat_interval(*told)
    if interval is None:
        return None
    one, other = map(stats.geometric_mean, told)
    runs = len(told[0]), len(told[1])
    ratio = RateRatio(scenario, found.metric, found.unit, one, other, interval, runs=runs, basis=Basis.RUNS)
    if runs[0] != runs[1]:
        return ratio
    return replace(ratio, pairs=stats.pairs_for(SOUGHT, stats.pair_spread(*told), runs[0] - 1))


def _lone(
    a: RunSide,
    b: RunSide,
    scenario: Scenario,
    found: Figure,
    second: Figure,
    blocks: tuple[stats.Blocks, ...],
    why: str,
) -> RateRatio:
    """One run a side: as sure as earlier runs of the machine allow, and no surer than its own blocks do."""
    groups = [values_of((*side.earlier, *side.repeats), scenario, found.metric) for side in (a, b)]
    earlier = stats.run_spread(groups)
    own = stats.ratio_interval(blocks[0], blocks[1], found.metric) if blocks else None
    ratio = RateRatio(scenario, found.metric, found.unit, found.value, second.value, own)
    if earlier is None or min(found.value, second.value) <= 0:
        return replace(ratio, reason=why or ("" if own else "a block without a value"))
    told = stats.earlier_interval(second.value / found.value, earlier)
    wider = (min(told[0], own[0]), max(told[1], own[1])) if own else told
    pairs = stats.pairs_for(SOUGHT, 2**0.5 * earlier.spread, earlier.freedom)
    return replace(ratio, interval=wider, basis=Basis.EARLIER, earlier=earlier, pairs=pairs)


def mean_of(side: RunSide) -> RunResult:
    """The first run with the geometric mean of each figure over its repeats: what gates judge."""
    if not side.repeats:
        return side.result
    runs = []
    for run in side.result.runs:
        figures = []
        for found in run.figures:
            values = side.values(run.scenario, found.metric) if run.mode is Mode.PERFORMANCE else []
            mean = stats.geometric_mean(values) if values and min(values) > 0 else found.value
            figures.append(replace(found, value=mean))
        runs.append(replace(run, figures=tuple(figures)))
    return replace(side.result, runs=tuple(runs))
