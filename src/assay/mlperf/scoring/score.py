"""Answers of an accuracy run -> the scores of a workload's metrics, and the printed form that checkers read.

Where an official script dies or counts an ungraded program as wrong, a Score without a value and with a reason is
given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import rouge
from assay.mlperf.scoring.metric import Answered, Answers, Scorer
from assay.mlperf.scoring.programs.program import Grader
from assay.mlperf.scoring.rouge import TextComparison


class AnswerRecord(Protocol):
    """One logged answer."""

    @property
    def qsl_idx(self) -> int: ...

    @property
    def token_ids(self) -> Sequence[int]: ...


def score(
    records: Sequence[AnswerRecord],
    samples: Sequence[Sample],
    tokenizer: Tokenizer,
    grade: Grader,
    scorers: Sequence[Scorer],
    f_measures: TextComparison = rouge.f_measures,
) -> list[Score]:
    """The scores of all scorers in their order, each always present.

    Of a sample logged more than once the first answer counts; the others only lower tokens_per_sample,
    as they do officially.

    Raises: ArtifactError when the log holds no answers, or ones that the dataset or tokenizer cannot have;
    ConfigError when a scorer gives other metrics than it declares; EnvironmentProblem when one of another package
    fails.
    """
    if not records:
        raise ArtifactError("the accuracy log holds no answers", "run the accuracy mode again")
    counted = list({record.qsl_idx: record for record in reversed(records)}.values())[::-1]
    _check(counted, len(samples), tokenizer.vocab_size)
    kinds = {scorer.keeps_special for scorer in scorers}
    answered = {kind: _answered(counted, samples, tokenizer, kind) for kind in kinds}
    answers = {
        kind: Answers(each, len(records), len(samples), grade, f_measures) for kind, each in answered.items()
    }
    return [found for scorer in scorers for found in _scores(scorer, answers[scorer.keeps_special])]


def _answered(
    counted: Sequence[AnswerRecord], samples: Sequence[Sample], tokenizer: Tokenizer, keeps_special: bool
) -> list[Answered]:
    texts = tokenizer.decode([record.token_ids for record in counted], keeps_special=keeps_special)
    return [
        Answered(samples[record.qsl_idx], text, record.token_ids)
        for record, text in zip(counted, texts, strict=True)
    ]


def by_metric(scores: Sequence[Score]) -> dict[str, float]:
    """Official results of a workload without a form of its own: metric -> value; one without a value is left out."""
    return {each.metric: each.value for each in scores if each.value is not None}


def accuracy_text(results: Mapping[str, float]) -> str:
    """`accuracy.txt` of a workload's official results: checkers search it for `'rouge1': 45.4` etc."""
    values = ", ".join(f"'{metric}': {_plain(value)}" for metric, value in results.items())
    return f"\nResults\n\n{{{values}}}\n"


def _plain(value: float) -> str:
    """Digits and a point alone: a checker reads 8e-05 as 8, and nothing in `np.float64(8.0)`."""
    if isinstance(value, int):
        return str(int(value))
    text = repr(float(value))
    return f"{float(value):.12f}" if "e" in text else text


def _scores(scorer: Scorer, answers: Answers) -> Sequence[Score]:
    found = scorer.score(answers)
    declared = [(metric.id, metric.unit) for metric in scorer.metrics]
    given = [(each.metric, each.unit) for each in found]
    if given != declared:
        raise ConfigError(
            f"a scorer gives {_listed(given)}, and it declares {_listed(declared)}", "mend the scorer"
        )
    return found


def _listed(pairs: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{metric} in {unit}" for metric, unit in pairs) or "no metric"


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
