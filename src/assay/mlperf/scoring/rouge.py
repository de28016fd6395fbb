"""ROUGE-1, ROUGE-2 and ROUGE-L of answers against reference texts.

`rouge-score-rs` gives the figures of Google's `rouge-score` to the last digit (held against it in the tests).
rougeLsum is left out: it is not gated, and only it depends on how a text is split into sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

METRICS = ("rouge1", "rouge2", "rougeL")


def f_measures(references: Sequence[str], predictions: Sequence[str]) -> dict[str, list[float]]:
    """metric -> F1 of each pair, 0 to 1. Porter stemmer on; an empty text scores 0.

    Source: evaluate-accuracy.py of the mixtral-8x7b reference (both texts are stripped first).
    """
    from rouge_score_rs import rouge_scorer

    scorer = rouge_scorer.RougeScorer(list(METRICS), use_stemmer=True)
    pairs = scorer.score_batch([text.strip() for text in references], [text.strip() for text in predictions])
    return {metric: [pair[metric].fmeasure for pair in pairs] for metric in METRICS}
