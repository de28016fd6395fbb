"""Two answers to the same samples side by side: is one of them worse than the other by more than allowed?

A paired test sees what two separate intervals cannot: on a set of 1,500 samples nearly all answers are the
same, and the few that differ decide. Knows no workload.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring.metric import Scorer
from assay.mlperf.scoring.programs.program import Grader
from assay.mlperf.scoring.score import AnswerRecord, score

Z_ONE_SIDED_95 = 1.6448536269514722
"""One-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True)
class ReferenceAnswer:
    """The answer that the dataset holds for a sample, as if it had been logged."""

    qsl_idx: int
    token_ids: Sequence[int]


def loss_exceeds(found: Mapping[int, float], reference: Mapping[int, float], share: float) -> bool:
    """True when the mean of `found` is below that of `reference` by more than `share` of it, at p < 0.05.

    Both: sample index -> value. One-sided: with d = found - reference per sample and m = share x mean(reference),
    the hypothesis mean(d) >= -m is given up when (mean(d) + m) / (s / sqrt(n)) < -1.645. Without any spread the
    means decide. Example: 500 samples at 100, 20 of them lost, share 0.01: mean(d) = -4, s = 19.6, z = -3.4: True.
    """
    differences = [found[index] - reference[index] for index in sorted(reference)]
    n = len(differences)
    if n == 0:
        return False
    mean = math.fsum(differences) / n
    surplus = mean + share * math.fsum(reference.values()) / n
    variance = math.fsum((d - mean) ** 2 for d in differences) / max(n - 1, 1)
    if variance == 0:
        return surplus < 0
    return surplus / math.sqrt(variance / n) < -Z_ONE_SIDED_95


def reference_values(
    found: Sequence[Score],
    records: Sequence[AnswerRecord],
    samples: Sequence[Sample],
    tokenizer: Tokenizer,
    grade: Grader,
    scorers: Sequence[Scorer],
) -> dict[str, dict[int, float]]:
    """What the dataset's own reference answers are worth: metric -> sample index -> value.

    An answer equal to the reference is worth what was `found` of it; only the others are scored again.
    """
    others: list[AnswerRecord] = [
        ReferenceAnswer(record.qsl_idx, reference)
        for record in records
        if tuple(record.token_ids) != (reference := samples[record.qsl_idx].reference_ids)
    ]
    again = (
        {each.metric: each.by_sample for each in score(others, samples, tokenizer, grade, scorers)}
        if others
        else {}
    )
    return {each.metric: {**each.by_sample, **again.get(each.metric, {})} for each in found}
