"""How llama3.1-405b is scored: ROUGE-L of the summaries, exact match of all others, tokens per sample.

Source of the semantics: evaluate-accuracy.py of the llama3.1-405b reference. Both texts are stripped and have each
sentence on a line before anything is compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import metric, sentences, tokens
from assay.mlperf.scoring.metric import PERCENT, Answers, Metric, Scorer
from assay.mlperf.workloads.datasets import llama3_1_405b_rows as rows

ROUGE_L = Metric("rougeL", PERCENT, "ROUGE-L")
EXACT = Metric("exact_match", PERCENT, "Exact match")
_UUID = re.compile(r"\w{8}-\w{4}-\w{4}-\w{4}-\w{12}")
_MARKER = "Answer: "


def needles(truth: str, text: str) -> float:
    """Percent, 2 decimals: how much of the ids that were hidden is in the ids of the answer, pair by pair.

    Of each pair the share of characters counts that stand anywhere in the answer's id. More ids than were hidden
    lower the figure, missing ones do not.
    """
    hidden, found = _UUID.findall(truth.lower()), _UUID.findall(text.lower())
    if not found:
        return 0.0
    shares = [sum(c in have for c in want) / len(want) for want, have in zip(hidden, found)]
    return round(sum(shares) / len(found) * 100, 2)


def question(truth: str, text: str) -> float:
    """100 when what stands after the last `Answer: ` is part of the truth, or holds one of its alternatives.

    So an empty answer is right. White space and case do not count in the alternatives.
    """
    said = text.rpartition(_MARKER)[2]
    if said in truth:
        return 100.0
    squeezed = _squeezed(said)
    return 100.0 * any(_squeezed(each) in squeezed for each in truth.split("|"))


def official_results(scores: Sequence[Score]) -> dict[str, float]:
    """What the official script prints; a metric without rows is left out, as there."""
    values: dict[str, float] = {each.metric: each.value for each in scores if each.value is not None}
    per_sample = next(each for each in scores if each.metric == tokens.METRIC.id)
    counts = {name: count for name, count in per_sample.details.items() if isinstance(count, int)}
    return values | counts


def _judged(answers: Answers) -> list[Score]:
    summaries = answers.of(rows.ROUGE)
    others = [a for a in answers.answered if a.sample.subset != rows.ROUGE]
    values = [
        (needles if a.sample.subset == rows.NEEDLE else question)(*_lines(a.sample.truth, a.text))
        for a in others
    ]
    pairs = [_lines(a.sample.truth, a.text) for a in summaries]
    shares = answers.f_measures([t for t, _ in pairs], [a for _, a in pairs], ["rougeL"]) if pairs else {}
    return [
        metric.mean(ROUGE_L, summaries, [100 * share for share in shares.get("rougeL", [])]),
        metric.mean(EXACT, others, values),
    ]


def _tokens(answers: Answers) -> list[Score]:
    lengths = [float(len(a.token_ids)) for a in answers.answered]
    found = metric.mean(tokens.METRIC, answers.answered, lengths)
    details = {
        "gen_len": sum(len(sentences.on_lines(a.text)) for a in answers.answered),
        "gen_num": len(lengths),
        "gen_tok_len": round(sum(lengths)),
    }
    return [replace(found, details=details)]


def _lines(*texts: str) -> tuple[str, ...]:
    return tuple(sentences.on_lines(text) for text in texts)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


SCORERS = (Scorer((ROUGE_L, EXACT), _judged), Scorer((tokens.METRIC,), _tokens))
