"""How deepseek-r1 is scored: exact match in the form of each subset, and tokens per sample.

Source of the semantics: eval_accuracy.py of the deepseek-r1 reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import answer_forms as forms
from assay.mlperf.scoring import math_grading, metric
from assay.mlperf.scoring.exact import Judgement, by_subset, judged
from assay.mlperf.scoring.metric import PERCENT, Answered, Answers, Metric, Scorer
from assay.mlperf.scoring.programs.program import Program
from assay.mlperf.workloads.datasets import deepseek_rows as rows

EXACT = Metric("exact_match", PERCENT, "Exact match", is_verdict=True)
TOKENS = Metric("tokens_per_sample", "tokens/sample", "Tokens per sample")


def judgement(subset: str, text: str, truth: str) -> Judgement:
    """Is this answer to a row of that subset right? A row without a truth has no right answer."""
    text = text.strip()
    if not truth:
        return False
    if subset == rows.CODE:
        code = forms.first_python_block(text)
        return Program(rows.CODE, truth, code, "") if code else False
    if subset == rows.AIME:
        return forms.is_integer(forms.aime_integer(text), truth)
    if subset == rows.MATH:
        given = forms.boxed(text)
        zeros = math_grading.decide(given, truth) if given else False
        return zeros if isinstance(zeros, bool) else math_grading.program(zeros)
    if subset == rows.GPQA:
        return forms.stated_letter(text, "D") == truth.upper()
    return (forms.stated_letter(text, "J") or forms.lone_letter(text, "J")) == truth.upper()


def official_results(scores: Sequence[Score]) -> dict[str, float]:
    """What the official script prints; exact_match is left out while an answer could not be graded."""
    found = {each.metric: each for each in scores if each.value is not None}
    values: dict[str, float] = {name: each.value for name, each in found.items() if each.value is not None}
    return {**values, "num-samples": found[TOKENS.id].n} if TOKENS.id in found else values


def _exact_match(answers: Answers) -> list[Score]:
    answered = answers.answered
    found = judged([judgement(a.sample.subset, a.text, a.sample.truth) for a in answered], answers.grade)
    details: dict[str, object] = dict(by_subset(answered, found.verdicts))
    if found.sandbox:
        details["sandbox"] = dict(found.sandbox)
    if found.ungraded:
        return [metric.not_measured(EXACT, found.reason, len(answered), found.ungraded, details)]
    return [metric.share(EXACT, answered, [verdict is True for verdict in found.verdicts], details)]


def _tokens(answers: Answers) -> list[Score]:
    """The mean length of the answers that count, end-of-sequence included where it was logged."""
    return [metric.mean(TOKENS, answers.answered, [float(len(a.token_ids)) for a in answers.answered])]


def _read(answered: Answered) -> str:
    """By the same forms as `judgement`."""
    subset, text, truth = answered.sample.subset, answered.text.strip(), answered.sample.truth
    if subset == rows.CODE:
        return "" if forms.first_python_block(text) else "holds no Python program"
    if subset == rows.AIME:
        return metric.reading("integer", forms.aime_integer(text), truth)
    if subset == rows.MATH:
        return metric.reading("boxed answer", forms.boxed(text), truth)
    last = "D" if subset == rows.GPQA else "J"
    lone = None if subset == rows.GPQA else forms.lone_letter(text, last)
    return metric.reading("letter", forms.stated_letter(text, last) or lone, truth)


SCORERS = (Scorer((EXACT,), _exact_match, reads=_read), Scorer((TOKENS,), _tokens))
