"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum of answers against reference texts.

`rouge-score-rs` gives the figures of Google's `rouge-score` in a fraction of its time. Some pairs of every scoring,
chosen at random, are scored by both, and a difference ends it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from assay.ground.errors import EnvironmentProblem

METRICS = ("rouge1", "rouge2", "rougeL")
"""Those that do not depend on sentences."""
LSUM = "rougeLsum"
"""Compares line with line: texts must have a sentence on each (`sentences.on_lines`)."""
HELD_SHARE, HELD_LEAST = 0.01, 20
"""Pairs that both libraries score: this share, at least so many. A choice: rouge-score is slow, and 1 % of its time is
felt little."""
EQUAL = 1e-9
"""Difference of two F1 values that is rounding."""


class TextComparison(Protocol):
    """`f_measures`, here or elsewhere."""

    def __call__(
        self, references: Sequence[str], predictions: Sequence[str], metrics: Sequence[str] = ...
    ) -> dict[str, list[float]]: ...


def f_measures(
    references: Sequence[str], predictions: Sequence[str], metrics: Sequence[str] = METRICS
) -> dict[str, list[float]]:
    """metric -> F1 of each pair, 0 to 1. Porter stemmer on; an empty text scores 0.

    Source: evaluate-accuracy.py of the mixtral-8x7b reference (both texts are stripped first).
    Raises: EnvironmentProblem when rouge-score-rs does not give the figures of rouge-score.
    """
    from rouge_score_rs import rouge_scorer

    truths, answers = ([text.strip() for text in texts] for texts in (references, predictions))
    pairs = rouge_scorer.RougeScorer(list(metrics), use_stemmer=True).score_batch(truths, answers)
    found = {metric: [pair[metric].fmeasure for pair in pairs] for metric in metrics}
    _hold(found, truths, answers)
    return found


def _hold(found: dict[str, list[float]], truths: Sequence[str], answers: Sequence[str]) -> None:
    from rouge_score import rouge_scorer

    original = rouge_scorer.RougeScorer(list(found), use_stemmer=True)
    count = min(len(answers), max(HELD_LEAST, round(HELD_SHARE * len(answers))))
    for pair in random.sample(range(len(answers)), count):
        theirs = original.score(truths[pair], answers[pair])
        for metric, values in found.items():
            if abs(values[pair] - theirs[metric].fmeasure) > EQUAL:
                raise EnvironmentProblem(
                    f"rouge-score-rs gives {metric} {values[pair]} where rouge-score gives "
                    f"{theirs[metric].fmeasure} (answer {pair} of the log): {answers[pair][:60]!r}",
                    "pip install --force-reinstall rouge-score-rs==0.2.1, and report the pair",
                )
