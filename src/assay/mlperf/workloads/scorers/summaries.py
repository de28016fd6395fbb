"""How summaries and chat answers are scored: the ROUGE family and the characters of all answers together.

Source of the semantics: evaluation.py of the llama3.1-8b and gpt-j references, evaluate-accuracy.py of llama2-70b.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import interval, metric, rouge, sentences, tokens
from assay.mlperf.scoring.metric import PERCENT, Answers, Metric, Scorer

ROUGE = (
    Metric("rouge1", PERCENT, "ROUGE-1", digits=4),
    Metric("rouge2", PERCENT, "ROUGE-2", digits=4),
    Metric("rougeL", PERCENT, "ROUGE-L", digits=4),
    Metric(rouge.LSUM, PERCENT, "ROUGE-Lsum", digits=4),
)
GEN_LEN = Metric("gen_len", "characters", "Characters of all answers", is_total=True)


def of_text(scores: Sequence[Score]) -> dict[str, float]:
    """What evaluation.py of llama3.1-8b and gpt-j prints, in its order.

    ROUGE stands there in quotes from v5.0 on; the checkers of all rounds read plain numbers.
    """
    values: dict[str, float] = {each.metric: each.value for each in scores if each.value is not None}
    count = next(each.n for each in scores if each.metric == GEN_LEN.id)
    return values | {"gen_num": count}


def of_tokens(scores: Sequence[Score]) -> dict[str, float]:
    """What evaluate-accuracy.py of llama2-70b prints, in its order."""
    found = {each.metric: each for each in scores}
    values = of_text([each for each in scores if each.metric != tokens.METRIC.id])
    per_sample = found[tokens.METRIC.id]
    if per_sample.value is None:
        return values
    return values | {
        "gen_tok_len": round(sum(per_sample.by_sample.values())),
        tokens.METRIC.id: per_sample.value,
    }


def _texts(answers: Answers) -> list[Score]:
    each = answers.answered
    truths = [sentences.on_lines(a.sample.truth) for a in each]
    texts = [sentences.on_lines(a.text) for a in each]
    pairs = answers.f_measures(truths, texts, [m.id for m in ROUGE])
    scores = [metric.mean(m, each, [100 * share for share in pairs[m.id]]) for m in ROUGE]
    return [*scores, _characters(answers, [len(text) for text in texts])]


def _characters(answers: Answers, lengths: Sequence[int]) -> Score:
    values = [float(length) for length in lengths]
    spread, why = interval.of_amount(values), interval.missing(values)
    ends = None if spread is None else (len(lengths) * spread[0], len(lengths) * spread[1])
    by_sample = {a.sample.index: float(n) for a, n in zip(answers.answered, lengths, strict=True)}
    details = {
        "duplicates": answers.logged - len(lengths),
        "answered": len(lengths),
        "samples": answers.samples,
    }
    total = sum(lengths)
    return Score(
        GEN_LEN.id,
        total,
        GEN_LEN.unit,
        len(lengths),
        ends,
        reason=why,
        details=details,
        by_sample=by_sample,
    )


def _tokens(answers: Answers) -> list[Score]:
    """Unlike Mixtral's, over the samples that count: one that was logged again is in neither sum."""
    lengths = [float(len(a.token_ids)) for a in answers.answered]
    return [metric.mean(tokens.METRIC, answers.answered, lengths)]


TEXTS = Scorer((*ROUGE, GEN_LEN), _texts)
TOKENS = Scorer((tokens.METRIC,), _tokens)
