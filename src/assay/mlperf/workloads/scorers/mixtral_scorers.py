"""How mixtral-8x7b is scored: ROUGE of OpenOrca, GSM8K accuracy, MBXP pass@1, tokens per sample.

Source of the semantics: evaluate-accuracy.py of the mixtral-8x7b reference (v4.1 to v6.0).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import gsm8k, metric, rouge, tokens
from assay.mlperf.scoring.metric import PERCENT, Answered, Answers, Metric, Scorer, not_measured
from assay.mlperf.scoring.programs import mbxp
from assay.mlperf.scoring.programs.program import ProgramVerdict
from assay.mlperf.workloads.datasets import mixtral_rows as rows

ROUGE = (
    Metric("rouge1", PERCENT, "ROUGE-1", digits=4),
    Metric("rouge2", PERCENT, "ROUGE-2", digits=4),
    Metric("rougeL", PERCENT, "ROUGE-L", digits=4),
)
GSM8K = Metric("gsm8k", PERCENT, "GSM8K accuracy", is_verdict=True)
MBXP = Metric("mbxp", PERCENT, "MBXP pass@1", is_verdict=True)


def official_results(scores: Sequence[Score]) -> dict[str, float]:
    """What the official script prints, under its keys and in its order; a metric without a value is left out.

    `mbxp` is 0 when the log holds no MBXP sample, as it is there (a checker then fails it either way).
    """
    found = {score.metric: score for score in scores}
    values: dict[str, float] = {}
    for name in (*rouge.METRICS, GSM8K.id, MBXP.id):
        value = found[name].value
        if value is not None:
            values[name] = value
        elif name == MBXP.id and not found[name].ungraded:
            values[name] = 0
    per_sample = found[tokens.METRIC.id]
    counts = {key: count for key, count in per_sample.details.items() if isinstance(count, int)}
    if any(name in values for name in rouge.METRICS):
        values["gen_len"] = counts["gen_len"]
    values |= {"gen_num": counts["gen_num"], "gen_tok_len": counts["gen_tok_len"]}
    if per_sample.value is not None:
        values[tokens.METRIC.id] = per_sample.value
    return values


def _rouge(answers: Answers) -> list[Score]:
    answered = answers.of(rows.OPENORCA)
    if not answered:
        return [_without(each, rows.OPENORCA) for each in ROUGE]
    pairs = answers.f_measures([a.sample.truth for a in answered], [a.text for a in answered])
    return [metric.mean(each, answered, [100 * share for share in pairs[each.id]]) for each in ROUGE]


def _gsm8k(answers: Answers) -> list[Score]:
    answered = answers.of(rows.GSM8K)
    if not answered:
        return [_without(GSM8K, rows.GSM8K)]
    hits = [gsm8k.is_right(a.text, a.sample.truth) for a in answered]
    return [metric.share(GSM8K, answered, hits, details={"right": sum(hits)})]


def _number(answered: Answered) -> str:
    sample = answered.sample
    if sample.subset != rows.GSM8K:
        return ""
    return metric.reading("number", gsm8k.find_number(answered.text), sample.truth)


def _mbxp(answers: Answers) -> list[Score]:
    answered = answers.of(rows.MBXP)
    counted = [a for a in answered if a.sample.language in mbxp.GRADED]
    dropped = Counter(str(a.sample.language) for a in answered if a.sample.language not in mbxp.GRADED)
    if not counted:
        return [_without(MBXP, f"{rows.MBXP} (in a graded language)" if dropped else rows.MBXP)]
    grading = answers.grade([mbxp.program(a.sample, a.text) for a in counted])
    verdicts = grading.verdicts
    details: dict[str, object] = dict(_by_language(counted, verdicts))
    if dropped:
        details["not counted"] = dict(dropped)
    if grading.sandbox:
        details["sandbox"] = dict(grading.sandbox)
    if ungraded := sum(verdict.passed is None for verdict in verdicts):
        return [metric.not_measured(MBXP, grading.reason, len(verdicts), ungraded, details)]
    found = metric.share(MBXP, counted, [verdict.passed is True for verdict in verdicts], details)
    why = {a.sample.index: each.reason or "its tests pass" for a, each in zip(counted, verdicts, strict=True)}
    return [dataclasses.replace(found, why=why)]


def _tokens(answers: Answers) -> list[Score]:
    return [tokens.score(answers, rows.OPENORCA)]


def _without(metric: Metric, subset: str) -> Score:
    return not_measured(metric, f"the log answers no {subset} sample")


def _by_language(
    answered: Sequence[Answered], verdicts: Sequence[ProgramVerdict]
) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for a, verdict in zip(answered, verdicts, strict=True):
        row = table.setdefault(str(a.sample.language), {"passed": 0, "run": 0, "ungraded": 0})
        row["run"] += verdict.passed is not None
        row["passed"] += verdict.passed is True
        row["ungraded"] += verdict.passed is None
    return dict(sorted(table.items()))


SCORERS = (
    Scorer(ROUGE, _rouge),
    Scorer((GSM8K,), _gsm8k, reads=_number),
    Scorer((MBXP,), _mbxp),
    Scorer((tokens.METRIC,), _tokens),
)
