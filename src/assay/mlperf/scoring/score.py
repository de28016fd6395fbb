"""Answers of an accuracy run -> one Score per metric, and the printed form that checkers read.

Source of the semantics: evaluate-accuracy.py of the mixtral-8x7b reference (v4.1 to v6.0). Where that script
dies or counts an ungraded program as wrong, a Score without a value and with a reason is given.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from assay.ground.errors import ArtifactError
from assay.mlperf.sample import Sample, Subset
from assay.mlperf.score import Score
from assay.mlperf.scoring import gsm8k, interval, mbxp, rouge
from assay.mlperf.scoring.mbxp import Grader, ProgramVerdict
from assay.mlperf.tokenizer import Tokenizer

PERCENT = "%"
TOKENS = "tokens/sample"


class AnswerRecord(Protocol):
    """One logged answer."""

    @property
    def qsl_idx(self) -> int: ...

    @property
    def token_ids(self) -> Sequence[int]: ...


@dataclass(frozen=True)
class Answered:
    """A sample with the text that the model gave."""

    sample: Sample
    text: str


def score(
    records: Sequence[AnswerRecord], samples: Sequence[Sample], tokenizer: Tokenizer, grade: Grader
) -> list[Score]:
    """rouge1, rouge2, rougeL, gsm8k, mbxp and tokens_per_sample, in this order, each always present.

    Of a sample logged more than once the first answer counts; the others only lower tokens_per_sample,
    as they do officially. `grade` is called once, with the MBXP programs (not at all when there are none).

    Raises: ArtifactError when the log holds no answers, or ones that the dataset or tokenizer cannot have.
    """
    if not records:
        raise ArtifactError("the accuracy log holds no answers", "run the accuracy mode again")
    counted = list({record.qsl_idx: record for record in reversed(records)}.values())[::-1]
    _check(counted, len(samples), tokenizer.vocab_size)
    texts = tokenizer.decode([record.token_ids for record in counted])
    answered = [Answered(samples[record.qsl_idx], text) for record, text in zip(counted, texts, strict=True)]
    by_subset = {subset: [a for a in answered if a.sample.subset is subset] for subset in Subset}
    return [
        *_rouge_scores(by_subset[Subset.OPENORCA]),
        _gsm8k_score(by_subset[Subset.GSM8K]),
        _mbxp_score(by_subset[Subset.MBXP], grade),
        _token_score(records, counted, by_subset[Subset.OPENORCA], len(samples)),
    ]


def official_results(scores: Sequence[Score]) -> dict[str, float]:
    """What the official script prints, under its keys and in its order; a metric without a value is left out.

    `mbxp` is 0 when the log holds no MBXP sample, as it is there (a checker then fails it either way).
    """
    found = {score.metric: score for score in scores}
    values: dict[str, float] = {}
    for metric in (*rouge.METRICS, "gsm8k", "mbxp"):
        value = found[metric].value
        if value is not None:
            values[metric] = value
        elif metric == "mbxp" and not found[metric].ungraded:
            values[metric] = 0
    tokens = found["tokens_per_sample"]
    counts = {key: count for key, count in tokens.details.items() if isinstance(count, int)}
    if any(metric in values for metric in rouge.METRICS):
        values["gen_len"] = counts["gen_len"]
    values |= {"gen_num": counts["gen_num"], "gen_tok_len": counts["gen_tok_len"]}
    if tokens.value is not None:
        values["tokens_per_sample"] = tokens.value
    return values


def accuracy_text(scores: Sequence[Score]) -> str:
    """`accuracy.txt`: the official script's output, where checkers search for `'rouge1': 45.4` etc."""
    return f"\nResults\n\n{official_results(scores)}\n"


def _check(records: Sequence[AnswerRecord], num_samples: int, vocab_size: int) -> None:
    for record in records:
        if not 0 <= record.qsl_idx < num_samples:
            raise ArtifactError(
                f"the log answers sample {record.qsl_idx}, the dataset has {num_samples} rows",
                "give the dataset that the run used",
            )
        highest = max(record.token_ids, default=0)
        if highest >= vocab_size or min(record.token_ids, default=0) < 0:
            raise ArtifactError(
                f"the answer to sample {record.qsl_idx} holds ids (as {highest}) outside the tokenizer's "
                f"{vocab_size}",
                "give the tokenizer of the model that was run, and the dtype that it logged",
            )


def _unmeasured(metric: str, unit: str, subset: Subset) -> Score:
    return Score(metric, None, unit, 0, None, reason=f"the log answers no {subset.value} sample")


def _rouge_scores(answered: Sequence[Answered]) -> list[Score]:
    if not answered:
        return [_unmeasured(metric, PERCENT, Subset.OPENORCA) for metric in rouge.METRICS]
    pairs = rouge.f_measures([a.sample.truth for a in answered], [a.text for a in answered])
    scores = []
    for metric, shares in pairs.items():
        percents = [100 * share for share in shares]
        value = round(math.fsum(percents) / len(percents), 4)
        spread = interval.of_mean(percents)
        scores.append(
            Score(metric, value, PERCENT, len(percents), spread, by_sample=_by_sample(answered, percents))
        )
    return scores


def _gsm8k_score(answered: Sequence[Answered]) -> Score:
    if not answered:
        return _unmeasured("gsm8k", PERCENT, Subset.GSM8K)
    hits = [gsm8k.is_right(a.text, a.sample.truth) for a in answered]
    right, n = sum(hits), len(hits)
    each = _by_sample(answered, [100.0 * hit for hit in hits])
    spread = interval.of_share(right, n)
    return Score("gsm8k", 100 * right / n, PERCENT, n, spread, details={"right": right}, by_sample=each)


def _mbxp_score(answered: Sequence[Answered], grade: Grader) -> Score:
    counted = [a for a in answered if a.sample.language in mbxp.GRADED]
    dropped = Counter(str(a.sample.language) for a in answered if a.sample.language not in mbxp.GRADED)
    if not counted:
        return _unmeasured("mbxp", PERCENT, Subset.MBXP)
    grading = grade([mbxp.program(a.sample, a.text) for a in counted])
    verdicts = grading.verdicts
    details: dict[str, object] = dict(_by_language(counted, verdicts))
    if dropped:
        details["not counted"] = dict(dropped)
    if grading.sandbox:
        details["sandbox"] = dict(grading.sandbox)
    n, ungraded = len(verdicts), [verdict for verdict in verdicts if verdict.passed is None]
    if ungraded:
        reasons = Counter(verdict.reason for verdict in ungraded)
        reason = "; ".join(f"{count} not graded: {why}" for why, count in reasons.most_common())
        return Score("mbxp", None, PERCENT, n, None, len(ungraded), reason, details)
    passed = sum(verdict.passed is True for verdict in verdicts)
    each = _by_sample(counted, [100.0 * (verdict.passed is True) for verdict in verdicts])
    spread = interval.of_share(passed, n)
    return Score("mbxp", 100 * passed / n, PERCENT, n, spread, details=details, by_sample=each)


def _by_sample(answered: Sequence[Answered], values: Sequence[float]) -> dict[int, float]:
    return {a.sample.index: value for a, value in zip(answered, values, strict=True)}


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


def _token_score(
    records: Sequence[AnswerRecord],
    counted: Sequence[AnswerRecord],
    orca: Sequence[Answered],
    num_samples: int,
) -> Score:
    """The tokens of the answers that count, by all that were logged: one that was logged again adds 0."""
    lengths = [len(record.token_ids) for record in counted]
    n = len(records)
    details = {
        "gen_num": n,
        "gen_tok_len": sum(lengths),
        "gen_len": sum(len(a.text.strip()) for a in orca),
        "duplicates": n - len(counted),
        "answered": len(counted),
        "samples": num_samples,
    }
    value = round(sum(lengths) / n, 1)
    spread = interval.of_mean([*lengths, *[0] * (n - len(counted))])
    return Score("tokens_per_sample", value, TOKENS, n, spread, details=details)
