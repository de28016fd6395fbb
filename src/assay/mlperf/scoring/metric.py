"""Metric and Scorer: what a workload measures of its answers. A scorer is a callable with declared metrics.

A metric of one's own is a function Answers -> [Score]; `mean` and `share` give a Score its n and its interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.mlperf.data.sample import Sample
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import interval, rouge
from assay.mlperf.scoring.programs.program import Grader
from assay.mlperf.scoring.rouge import TextComparison

PERCENT = "%"


@dataclass(frozen=True)
class Metric:
    """One figure that is made of the answers of an accuracy run."""

    id: str
    """As accuracy.txt and the rounds' targets call it. Example: `rouge1`."""
    unit: str
    title: str
    """In reports. Example: `ROUGE-1`."""
    digits: int | None = None
    """Decimals that the official figure is rounded to; None = not rounded."""
    is_total: bool = False
    """A sum over all answers: on a part of the set no target can judge it."""
    is_verdict: bool = False
    """One answer is right or wrong by it: right where its value is above 0."""


@dataclass(frozen=True)
class Answered:
    """A sample with the answer that the model gave."""

    sample: Sample
    text: str
    token_ids: Sequence[int] = ()


@dataclass(frozen=True)
class Answers:
    """The answers of one accuracy log that count: the first to each sample."""

    answered: Sequence[Answered]
    logged: int
    """Answers in the log; those to a sample that was logged before are among them."""
    samples: int
    """Rows of the dataset."""
    grade: Grader
    """Runs programs in the sandbox; called once, with all programs."""
    f_measures: TextComparison = rouge.f_measures
    """ROUGE of all texts; called once."""

    def of(self, subset: str) -> list[Answered]:
        return [each for each in self.answered if each.sample.subset == subset]


def _nothing(answered: Answered) -> str:
    return ""


def reading(kind: str, found: object, truth: str) -> str:
    """A sentence for `Scorer.reads`: what was found in an answer, and what is right."""
    said = f"reads no {kind}" if found is None or found == "" else f"reads the {kind} {found}"
    return f"{said}, and {truth} is right"


@dataclass(frozen=True)
class Scorer:
    """A callable and the metrics that it gives, one Score for each, in this order."""

    metrics: tuple[Metric, ...]
    score: Callable[[Answers], Sequence[Score]] = field(repr=False)
    keeps_special: bool = False
    """Special tokens stay in the texts that it is given."""
    reads: Callable[[Answered], str] = field(default=_nothing, repr=False)
    """What it judges an answer by, as `reads the number 9, and 8 is right`; empty for one that it does not judge."""


def mean(metric: Metric, answered: Sequence[Answered], values: Sequence[float]) -> Score:
    """The mean of one value for each answer, in the metric's unit; not measured where there are none."""
    if not answered:
        return not_measured(metric, "the log answers no sample that it is measured on")
    value = math.fsum(values) / len(values)
    rounded = value if metric.digits is None else round(value, metric.digits)
    each = _by_sample(answered, values)
    spread = interval.of_amount(values, most=100.0 if metric.unit == PERCENT else math.inf)
    why = interval.missing(values)
    return Score(metric.id, rounded, metric.unit, len(values), spread, reason=why, by_sample=each)


def share(
    metric: Metric,
    answered: Sequence[Answered],
    hits: Sequence[bool],
    details: Mapping[str, object] | None = None,
) -> Score:
    """The share of right answers in percent; not measured where there are none."""
    if not answered:
        return not_measured(metric, "the log answers no sample that it is measured on")
    right, n = sum(hits), len(hits)
    each = _by_sample(answered, [100.0 * hit for hit in hits])
    value = 100 * right / n
    return Score(
        metric.id,
        value if metric.digits is None else round(value, metric.digits),
        metric.unit,
        n,
        interval.of_share(right, n),
        details={} if details is None else details,
        by_sample=each,
    )


def not_measured(
    metric: Metric, reason: str, n: int = 0, ungraded: int = 0, details: Mapping[str, object] | None = None
) -> Score:
    """No value, and why: there is no answer to judge, or `ungraded` of n answers could not be judged."""
    return Score(
        metric.id, None, metric.unit, n, None, ungraded=ungraded, reason=reason, details=details or {}
    )


def _by_sample(answered: Sequence[Answered], values: Sequence[float]) -> dict[int, float]:
    return {each.sample.index: value for each, value in zip(answered, values, strict=True)}
