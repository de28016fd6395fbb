"""tokens_per_sample: the mean length of the logged answers, which several workloads are gated by."""

from __future__ import annotations

from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import interval
from assay.mlperf.scoring.metric import Answers, Metric

METRIC = Metric("tokens_per_sample", "tokens/sample", "Tokens per sample", digits=1)


def score(answers: Answers, text_subset: str | None = None) -> Score:
    """The tokens of the answers that count, by all that were logged: one that was logged again adds 0.

    text_subset: the subset whose characters `gen_len` counts; None = all. Source of both: evaluate-accuracy.py of
    the mixtral-8x7b reference.
    """
    lengths = [len(each.token_ids) for each in answers.answered]
    texts = answers.answered if text_subset is None else answers.of(text_subset)
    n, again = answers.logged, answers.logged - len(lengths)
    details = {
        "gen_num": n,
        "gen_tok_len": sum(lengths),
        "gen_len": sum(len(each.text.strip()) for each in texts),
        "duplicates": again,
        "answered": len(lengths),
        "samples": answers.samples,
    }
    counted = [*lengths, *[0] * again]
    spread, why = interval.of_amount(counted), interval.missing(counted)
    value = round(sum(lengths) / n, METRIC.digits or 0)
    return Score(METRIC.id, value, METRIC.unit, n, spread, reason=why, details=details)
