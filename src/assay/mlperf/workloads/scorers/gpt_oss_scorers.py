"""How gpt-oss-120b is scored: the share of its questions that it answers, each asked several times.

Source of the semantics: eval_mlperf_accuracy.py of the gpt-oss-120b reference, which also counts an answer that was
logged twice twice; here the first one counts.
"""

from __future__ import annotations

from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import answer_forms, harmony, interval, metric
from assay.mlperf.scoring.exact import Judgement, by_subset, judged
from assay.mlperf.scoring.metric import PERCENT, Answered, Answers, Metric, Scorer
from assay.mlperf.scoring.programs.program import Program
from assay.mlperf.workloads.datasets import gpt_oss_rows as rows

EXACT = Metric("exact_match", PERCENT, "Exact match", digits=3, is_verdict=True)
TOKENS = Metric("tokens_per_sample", "tokens/sample", "Tokens per sample")
"""Not printed by the official script; the checkers hold it to its upper limit where they find it."""
REPEATS = {"aime25": 8, "gpqa_diamond": 5, "livecodebench_v6": 3}
"""How often each question of a subset is asked; its answers weigh the less. Any other subset: once."""


def judgement(subset: str, text: str, truth: str) -> Judgement:
    """Is this answer right? `text` holds the special tokens of the Harmony format."""
    if not truth:
        return False
    if rows.CODE in subset:
        code = harmony.program(text)
        return Program(rows.CODE, truth, code, "") if code else False
    if rows.AIME in subset:
        return answer_forms.is_integer(answer_forms.aime_integer(text.strip()), truth)
    return harmony.letter(text, "D") == truth.upper()


def _exact_match(answers: Answers) -> list[Score]:
    answered = answers.answered
    if odd := next((a for a in answered if not any(part in a.sample.subset for part in rows.JUDGED)), None):
        reason = f"row {odd.sample.row} is of the set for performance runs: no answer to it is right or wrong"
        return [metric.not_measured(EXACT, reason)]
    found = judged([judgement(a.sample.subset, a.text, a.sample.truth) for a in answered], answers.grade)
    details: dict[str, object] = dict(by_subset(answered, found.verdicts))
    if found.sandbox:
        details["sandbox"] = dict(found.sandbox)
    n = len(answered)
    if found.ungraded:
        return [metric.not_measured(EXACT, found.reason, n, found.ungraded, details)]
    weights = [1 / REPEATS.get(a.sample.subset, 1) for a in answered]
    right = sum(weight for weight, verdict in zip(weights, found.verdicts, strict=True) if verdict)
    value = round(100 * right / sum(weights), EXACT.digits)
    each = {
        a.sample.index: 100.0 * bool(verdict) for a, verdict in zip(answered, found.verdicts, strict=True)
    }
    spread = interval.of_share(sum(map(bool, found.verdicts)), n)
    return [Score(EXACT.id, value, EXACT.unit, n, spread, details=details, by_sample=each)]


def _tokens(answers: Answers) -> list[Score]:
    return [metric.mean(TOKENS, answers.answered, [float(len(a.token_ids)) for a in answers.answered])]


def _read(answered: Answered) -> str:
    """By the same forms as `judgement`."""
    subset, text, truth = answered.sample.subset, answered.text, answered.sample.truth
    if rows.CODE in subset:
        return "" if harmony.program(text) else "holds no Python program"
    if rows.AIME in subset:
        return metric.reading("integer", answer_forms.aime_integer(text.strip()), truth)
    return metric.reading("letter", harmony.letter(text, "D"), truth) if truth else ""


SCORERS = (Scorer((EXACT,), _exact_match, keeps_special=True, reads=_read), Scorer((TOKENS,), _tokens))
