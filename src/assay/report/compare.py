"""Two runs side by side: what differs in settings and system, then speed by ratio, then scores by pairs of samples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.config import Mode, Scenario, plain
from assay.ground.redact import addresses
from assay.mlperf import workloads
from assay.mlperf.record.definitions import LOADGEN_DEFINITIONS
from assay.mlperf.record.result import ModeResult, RunResult, Status
from assay.mlperf.run import requests
from assay.report import compare_speed, words
from assay.report import compare_stats as stats
from assay.report.compare_speed import RateRatio
from assay.report.flat import leaves
from assay.report.run_side import RunSide, samples_of, values_of
from assay.report.series import Rows

SIGNIFICANT = 0.05
LEAST_BIAS = 0.005
"""Logarithm of B / A from which a drift is told: a quarter of what counts as a difference. A choice."""
NOT_COMPARED = ("origin.", "paths.out", "submission.")
"""Settings that change nothing of what is measured."""


@dataclass(frozen=True)
class Difference:
    """A setting or fact of the system that is not the same; empty text = not set, not known."""

    name: str
    a: str
    b: str


@dataclass(frozen=True)
class PairedScore:
    """One metric over the samples that both runs have."""

    scenario: Scenario
    metric: str
    unit: str
    n: int
    a: float
    b: float
    interval: tuple[float, float] | None
    """95 %, of the mean of B - A; None for too few, and where all differ by the same."""
    lost: tuple[int, ...] = ()
    """Samples that A had right and B has wrong, of a metric that judges single answers."""
    gained: tuple[int, ...] = ()
    p: float | None = None
    """McNemar's, exact; None for a metric that does not judge single answers."""

    @property
    def would_show(self) -> int | None:
        """How many answers must change for the worse, or for the better, to show it, with as many the other way as
        now; None where they do, or nothing changed."""
        fewer, more = sorted((len(self.lost), len(self.gained)))
        if self.p is None or self.p < SIGNIFICANT or not more:
            return None
        return next(n for n in itertools.count(more + 1) if stats.mcnemar(n, fewer) < SIGNIFICANT)

    @property
    def conclusion(self) -> str:
        if self.p is not None:
            is_sure = self.p < SIGNIFICANT
        elif self.interval is not None:
            is_sure = not self.interval[0] <= 0 <= self.interval[1]
        else:  # all differ by the same, or too few do: by the sign test
            is_sure = self.a != self.b and stats.mcnemar(self.n, 0) < SIGNIFICANT
        if is_sure:
            return "B is higher" if self.b > self.a else "B is lower"
        if self.p is not None and (self.lost or self.gained):
            return "within chance"
        return "no difference shown"


@dataclass(frozen=True)
class Comparison:
    a: RunSide
    b: RunSide
    warnings: tuple[str, ...]
    """Why the two may not be compared."""
    differences: tuple[Difference, ...]
    ratios: tuple[RateRatio, ...]
    scores: tuple[PairedScore, ...]


def compare(a: RunSide, b: RunSide) -> Comparison:
    is_same_set = samples_of(a.result) == samples_of(b.result)
    return Comparison(
        a,
        b,
        tuple(_warnings(a, b)),
        tuple(_differences(a.result, b.result)),
        tuple(ratio for run in _both(a, b, Mode.PERFORMANCE) for ratio in compare_speed.ratios(a, b, *run)),
        tuple(s for run in _both(a, b, Mode.ACCURACY) for s in _scores(a, b, run[0])) if is_same_set else (),
    )


def _both(a: RunSide, b: RunSide, mode: Mode) -> Iterator[tuple[ModeResult, ModeResult]]:
    for run in a.result.runs:
        if run.mode is mode and (other := b.result.find(run.scenario, mode)):
            yield run, other


def _warnings(a: RunSide, b: RunSide) -> Iterator[str]:
    one, other = a.result, b.result
    if one.workload != other.workload:
        yield f"other workloads: {one.workload} and {other.workload}"
    if one.round != other.round:
        yield f"other rounds, so other rules and seeds: {one.round} and {other.round}"
    yield from _other_definitions(one, other)
    if samples_of(one) != samples_of(other):
        yield "other samples: the answers cannot be paired, and speed depends on what is asked"
    if one.is_fake != other.is_fake:
        yield "one of the runs is of a system under test that computes nothing"
    for letter, side in (("A", a), ("B", b)):
        if side.result.status is not Status.COMPLETE:
            yield f"{letter} is {side.result.status}: {side.result.reason}"
        if side.requests is None:
            yield f"{letter} has no requests.parquet: no intervals, no paired tests"
        for repeat in side.repeats:
            if _kind(repeat) != _kind(side.result):
                yield f"{letter}: one of its runs is no repeat of the first: other work or another system under test"
        for run in side.result.runs:
            if run.is_invalid:
                yield f"{letter}, {run.scenario}: {words.validity(side.result, run)}"
    yield from _drifts(a, b)
    runs = [{(run.scenario, run.mode) for run in side.result.runs} for side in (a, b)]
    for scenario, mode in sorted(runs[0] ^ runs[1]):
        yield f"only {'A' if (scenario, mode) in runs[0] else 'B'} has {scenario} {mode}"


def _drifts(a: RunSide, b: RunSide) -> Iterator[str]:
    """Of runs that were made in an order by which a drift of the machine counts for one side; none where a run does
    not say when it began."""
    runs = [(each, side is b) for side in (a, b) for each in (side.result, *side.repeats)]
    if not all(each.started_at for each, _ in runs):
        return
    runs.sort(key=lambda each: each[0].started_at)
    for one, _ in _both(a, b, Mode.PERFORMANCE):
        rates = [values_of((each,), one.scenario, "samples_per_s") for each, _ in runs]
        if not all(rate and rate[0] > 0 for rate in rates):
            continue
        bias = stats.order_bias([rate[0] for rate in rates], [is_b for _, is_b in runs])
        if bias is not None and abs(bias) > LEAST_BIAS:
            order = " ".join("AB"[is_b] for _, is_b in runs)
            yield (
                f"{one.scenario}: samples/s drift from run to run, which adds about {math.expm1(bias):+.1%} to B / A "
                f"in the order {order}; A B B A has no such part"
            )


def _kind(result: RunResult) -> tuple[object, ...]:
    used = result.used
    return (*samples_of(result), result.round, (used.sut, used.precision, used.batch) if used else None)


def _other_definitions(a: RunResult, b: RunResult) -> Iterator[str]:
    """Figures of one name that two tools mean differently; a run of Assay has LoadGen's."""
    one, other = _definitions(a), _definitions(b)
    for kind in sorted(one.keys() & other.keys()):
        if one[kind] != other[kind]:
            yield f"{kind} is not one figure: {one[kind]} in A, {other[kind]} in B"


def _definitions(result: RunResult) -> dict[str, str]:
    told = result.details.get("definitions")
    return {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else dict(LOADGEN_DEFINITIONS)


def _differences(a: RunResult, b: RunResult) -> Iterator[Difference]:
    one, other = _facts(a), _facts(b)
    for name in dict.fromkeys([*one, *other]):
        if one.get(name, "") != other.get(name, ""):
            yield Difference(name, one.get(name, ""), other.get(name, ""))


def _facts(result: RunResult) -> dict[str, str]:
    asked = leaves(plain(result.asked)) if result.command else ()  # an imported run was not asked of Assay
    found = {
        "round": result.round,
        "dataset.sha256": result.dataset.sha256 or "",
        "assay": result.assay,
        "dataset.samples": str(result.dataset.samples),
        "loadgen": result.loadgen.version,
    }
    found |= {f"asked.{name}": addresses(said) for name, said in asked if not name.startswith(NOT_COMPARED)}
    if result.used:
        used = {k: v for k, v in plain(result.used).items() if k not in ("details", "notes")}
        found |= dict(leaves(used, "used"))
    found |= {f"system.{name}": each.value or "" for name, each in result.system.items()}
    for run in result.runs:
        found |= {f"{run.scenario} {run.mode}.{k}": str(v) for k, v in run.effective.items()}
    return found


def _scores(a: RunSide, b: RunSide, one: ModeResult) -> Iterator[PairedScore]:
    sides = [side.rows(one.scenario, Mode.ACCURACY) for side in (a, b)]
    first, second = sides
    if first is None or second is None:
        return
    workload = workloads.find(a.result.workload)  # None: of a package that is not here
    verdicts_of = workload.verdicts if workload else frozenset()
    units = {"answer_tokens": "tokens", **{each.metric: each.unit for each in one.scores}}
    names = [name for name in first.table.column_names if name.startswith(requests.SCORE_PREFIX)]
    for name in [*names, "answer_tokens"]:
        if name in second.table.column_names:
            metric = name.removeprefix(requests.SCORE_PREFIX)
            values = _by_sample(first, name), _by_sample(second, name)
            yield from _paired(one.scenario, metric, units.get(metric, ""), metric in verdicts_of, *values)


def _paired(
    scenario: Scenario, metric: str, unit: str, is_verdict: bool, a: dict[int, float], b: dict[int, float]
) -> Iterator[PairedScore]:
    shared = sorted(a.keys() & b.keys())
    if not shared:
        return
    one, other = (np.array([side[i] for i in shared]) for side in (a, b))
    lost: tuple[int, ...] = ()
    gained, p = lost, None
    if is_verdict:
        lost = tuple(i for i in shared if a[i] > 0 and not b[i] > 0)
        gained = tuple(i for i in shared if b[i] > 0 and not a[i] > 0)
        p = stats.mcnemar(len(lost), len(gained))
    interval = stats.mean_interval(other - one)
    yield PairedScore(
        scenario=scenario,
        metric=metric,
        unit=unit,
        n=len(shared),
        a=float(one.mean()),
        b=float(other.mean()),
        interval=interval,
        lost=lost,
        gained=gained,
        p=p,
    )


def _by_sample(rows: Rows, name: str) -> dict[int, float]:
    values = rows.column(name)
    index = rows.column("sample_index")
    return {int(i): float(v) for i, v in zip(index, values) if not np.isnan(v)}
