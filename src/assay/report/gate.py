"""Conditions that fail a comparison: `tokens_per_s < 0.97x`, `Server ttft_p99 > 2000`, `gsm8k_lost > 0`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.config import Scenario
from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf.record.result import RunResult
from assay.report.compare import PairedScore

FORM = re.compile(r"(?:(\w+)\s+)?([\w.]+)\s*(<=|>=|<|>)\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?)(x?)", re.IGNORECASE)
HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Gate:
    """B fails it where `metric sign bound` holds; with `is_ratio`, the bound is a multiple of A's value."""

    text: str
    scenario: Scenario | None
    """None = every scenario that has the metric."""
    metric: str
    sign: str
    bound: float
    is_ratio: bool


@dataclass(frozen=True)
class GateOutcome:
    gate: Gate
    failed: bool
    said: str


def parse(text: str) -> Gate:
    """Raises: ConfigError for what is no condition."""
    found = FORM.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"--fail-if {text!r} is no condition", "--fail-if 'tokens_per_s < 0.97x'")
    scenario, metric, sign, bound, times = found.groups()
    meant = Scenario.named(scenario) if scenario else None
    if scenario and meant is None:
        names = [each.value.lower() for each in Scenario]
        raise ConfigError(f"--fail-if {text!r}: no scenario {scenario}", did_you_mean(scenario, names))
    return Gate(text, meant, metric, sign, float(bound), bool(times))


def judge(gate: Gate, a: RunResult, b: RunResult, pairs: Sequence[PairedScore] = ()) -> list[GateOutcome]:
    """An outcome for each scenario that either run has the metric in. What one of them did not measure fails.
    `pairs` give METRIC_lost and METRIC_gained: how many answers became wrong, or right.

    Raises: ConfigError where neither run has the metric, or for a multiple of such a count.
    """
    one, other, counts = _values(a), _values(b), _counts(pairs)
    if gate.is_ratio and any(metric == gate.metric for _, metric in counts):
        raise ConfigError(
            f"--fail-if {gate.text!r}: A has no {gate.metric}", f"--fail-if '{gate.metric} > 0'"
        )
    other |= counts
    known = dict.fromkeys([*one, *other])
    places = [key for key in known if key[1] == gate.metric and gate.scenario in (None, key[0])]
    if not places:
        near = did_you_mean(gate.metric, {metric for _, metric in known})
        raise ConfigError(f"--fail-if {gate.text!r}: neither run has {gate.metric}", near)
    return [_judged(gate, place, one.get(place), other.get(place)) for place in places]


def _judged(gate: Gate, place: tuple[Scenario, str], a: float | None, b: float | None) -> GateOutcome:
    name = f"{place[0]} {gate.metric}"
    if b is None or (a is None and gate.is_ratio):
        return GateOutcome(gate, True, f"{name}: not measured in {'B' if b is None else 'A'}")
    bound = gate.bound * (a or 0.0) if gate.is_ratio else gate.bound
    return GateOutcome(gate, HOLDS[gate.sign](b, bound), f"{name}: {b:.6g}, bound {bound:.6g}")


def _counts(pairs: Sequence[PairedScore]) -> dict[tuple[Scenario, str], float]:
    judged = [each for each in pairs if each.p is not None]
    lost = {(each.scenario, f"{each.metric}_lost"): float(len(each.lost)) for each in judged}
    return lost | {(each.scenario, f"{each.metric}_gained"): float(len(each.gained)) for each in judged}


def _values(result: RunResult) -> dict[tuple[Scenario, str], float]:
    found = {(run.scenario, figure.metric): figure.value for run in result.runs for figure in run.figures}
    scores = {(run.scenario, s.metric): s.value for run in result.runs for s in run.scores}
    return found | {place: value for place, value in scores.items() if value is not None}
