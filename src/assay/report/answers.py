"""What a run answered: question, answer, truth and verdict of each sample of an accuracy run."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError, ConfigError, did_you_mean
from assay.ground.files import sha256
from assay.mlperf import workloads
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.logs import names
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import choosing, requests
from assay.mlperf.scoring import log
from assay.mlperf.scoring.metric import Answered
from assay.mlperf.workloads.workload import Workload
from assay.report import words


@dataclass(frozen=True)
class AnswerFilter:
    """Which answers of a run, and where to read what it was run with. None = all, or the places in its record."""

    scenario: Scenario | None = None
    subset: str | None = None
    is_wrong: bool = False
    """Only those that were graded and found wrong."""
    dataset: Path | None = None
    tokenizer: Path | None = None


@dataclass(frozen=True)
class ShownAnswer:
    """One answer as it can be read."""

    sample_index: int
    row: int
    """Of the dataset."""
    id: str
    subset: str
    question: str
    answer: str
    truth: str
    verdict: str
    """`right`, `wrong`, or empty where no metric judges single answers or nothing was graded."""
    scores: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    """What the scorer judged the answer by; empty where it says nothing of one."""
    means: Mapping[str, float] = field(default_factory=dict)
    """Over the run, of each metric that gives an answer a value and no verdict."""


@dataclass(frozen=True)
class AnswerGrade:
    """What scoring said of one answer; empty where nothing was graded."""

    verdict: str = ""
    """`right` or `wrong`."""
    scores: Mapping[str, float] = field(default_factory=dict)
    said: tuple[str, ...] = ()


NO_GRADE = AnswerGrade()


@dataclass(frozen=True)
class LoggedAnswers:
    """What the answers of an accuracy run are read from."""

    workload: Workload
    scenario: Scenario
    log: Path
    samples: list[Sample]
    tokenizer: Tokenizer


def logged(folder: RunFolder, wanted: AnswerFilter) -> LoggedAnswers:
    """The log of a run's answers, with the samples and the tokenizer that it was made with.

    Raises: ArtifactError where the dataset or the tokenizer cannot be read, or the dataset is another one than the
    run's; ConfigError for a scenario that the run lacks, and where its record names no dataset or tokenizer.
    """
    made = result.read(folder.path)
    workload = workloads.get(made.workload)
    scenario = _scenario(made, wanted.scenario)
    return LoggedAnswers(
        workload,
        scenario,
        folder.logs(scenario, Mode.ACCURACY) / names.ACCURACY_FILE,
        _samples(made, workload, wanted.dataset),
        tokenizer.load(_tokenizer(made, workload, wanted.tokenizer)),
    )


def of(folder: RunFolder, wanted: AnswerFilter) -> list[ShownAnswer]:
    """The answers of a run, in the order of its log.

    Raises: as `logged`; ArtifactError for a log that cannot be read; ConfigError for a subset that the run lacks, and
    for `is_wrong` without grades.
    """
    run = logged(folder, wanted)
    workload, scenario, samples, reader = run.workload, run.scenario, run.samples, run.tokenizer
    wanted = replace(wanted, subset=_subset(wanted.subset, {sample.subset for sample in samples}))
    grades = _grades(folder, scenario)
    if wanted.is_wrong and not any(grade.verdict for grade in grades.values()):
        raise ConfigError(f"{folder}: no answer of this run was judged right or wrong", "leave --wrong out")
    answered = [
        (_at(samples, record.qsl_idx, run.log), record.token_ids)
        for record in log.read(run.log, "int32", reader.vocab_size)
    ]
    chosen = [(sample, ids) for sample, ids in answered if _is_wanted(wanted, sample, grades)]
    if not chosen:
        return []
    ids = [ids for _, ids in chosen]
    texts, whole_texts = reader.decode(ids), reader.decode(ids, keeps_special=True)
    means = _means(grades, workload.verdicts)
    return [
        _shown(sample, text, grades.get(sample.index, NO_GRADE), _why(workload, sample, text, whole), means)
        for (sample, _), text, whole in zip(chosen, texts, whole_texts)
    ]


def _is_wanted(wanted: AnswerFilter, sample: Sample, grades: Mapping[int, AnswerGrade]) -> bool:
    is_wrong = grades.get(sample.index, NO_GRADE).verdict == "wrong"
    return wanted.subset in (None, sample.subset) and (is_wrong or not wanted.is_wrong)


def _shown(
    sample: Sample, text: str, grade: AnswerGrade, read: str, means: Mapping[str, float]
) -> ShownAnswer:
    return ShownAnswer(
        sample_index=sample.index,
        row=sample.row,
        id=sample.id,
        subset=sample.subset,
        question=sample.prompt,
        answer=text,
        truth=sample.truth,
        verdict=grade.verdict,
        scores=grade.scores,
        reason="; ".join(filter(None, [read, *grade.said])),
        means=means,
    )


def _means(grades: Mapping[int, AnswerGrade], verdicts_of: Collection[str]) -> dict[str, float]:
    """Of each metric that gives an answer a value and no verdict, over the run."""
    values: dict[str, list[float]] = {}
    for each in grades.values():
        for metric, value in each.scores.items():
            if metric not in verdicts_of:
                values.setdefault(metric, []).append(value)
    return {metric: sum(found) / len(found) for metric, found in values.items()}


def scores_of(answer: ShownAnswer) -> str:
    """`GSM8K accuracy 0, ROUGE-1 50 (mean of the run 40)`; empty where it has no score."""
    means = {metric: f" (mean of the run {words.short(mean)})" for metric, mean in answer.means.items()}
    return ", ".join(
        f"{words.title(metric)} {words.short(value)}{means.get(metric, '')}"
        for metric, value in answer.scores.items()
    )


def _why(workload: Workload, sample: Sample, text: str, whole: str) -> str:
    """`whole`: the answer with its special tokens."""
    read = (
        scorer.reads(Answered(sample, whole if scorer.keeps_special else text)) for scorer in workload.scorers
    )
    return "; ".join(filter(None, read))


def lines(answer: ShownAnswer) -> Iterator[str]:
    """An answer for a terminal: a head, then each text below its name."""
    verdict = f": {answer.verdict}" if answer.verdict else ""
    where = f"row {answer.row}, {answer.subset or 'no subset'}, {answer.id}"
    yield f"sample {answer.sample_index} ({where}){verdict}"
    for name, text in (("question", answer.question), ("answer", answer.answer), ("truth", answer.truth)):
        yield f"  {name}"
        yield from (f"    {line}" for line in text.splitlines() or ["(empty)"])
    if answer.reason:
        first, *more = answer.reason.splitlines()
        yield f"  why       {first}"
        yield from (f"            {line}" for line in more)
    if answer.scores:
        yield f"  scores    {scores_of(answer)}"


def _scenario(made: RunResult, asked: Scenario | None) -> Scenario:
    found = [run.scenario for run in made.runs if run.mode is Mode.ACCURACY]
    if not found:
        raise ConfigError(
            "this run has no accuracy run that ended", "a run with --mode accuracy logs its answers"
        )
    if asked is not None and asked not in found:
        raise ConfigError(f"this run has no accuracy run of {asked}", f"one of: {', '.join(map(str, found))}")
    return asked or found[0]


def _subset(asked: str | None, known: Collection[str]) -> str | None:
    """The subset as the dataset spells it: `gsm8k` is GSM8K."""
    found = [name for name in known if asked is not None and name.lower() == asked.lower()]
    if asked is not None and not found:
        raise ConfigError(f"no subset {asked!r} in this run", did_you_mean(asked, known))
    return found[0] if found else None


def _samples(made: RunResult, workload: Workload, given: Path | None) -> list[Sample]:
    path = given or made.asked.paths.accuracy_dataset or made.asked.paths.dataset
    if path is not None:
        digest, rows = sha256(path) if path.is_file() else "", dataset.read_scored(path, workload.schema)
    elif workload.own_dataset is not None:
        own = workload.own_dataset(made.asked.style)
        digest, rows = own.sha256, list(own.samples)
    else:
        raise ConfigError("the record of this run names no dataset file", "--dataset FILE")
    run_on = made.scored_dataset
    if run_on.sha256 and digest != run_on.sha256:
        raise ArtifactError(
            f"{path or workload.name}: this is not the dataset of the run: SHA-256 {digest}, "
            f"the run's {run_on.sha256}",
            "--dataset FILE names the one that was run",
        )
    return choosing.at(rows, run_on.rows_used) if run_on.rows_used else rows


def _tokenizer(made: RunResult, workload: Workload, given: Path | None) -> Path:
    paths, own = made.asked.paths, workload.own_checkpoint
    found = given or paths.tokenizer or paths.checkpoint or (own() if own else None)
    if found is None:
        raise ConfigError("the record of this run names no tokenizer", "--tokenizer DIR")
    return found


def _at(samples: list[Sample], index: int, path: Path) -> Sample:
    if not 0 <= index < len(samples):
        raise ArtifactError(
            f"{path} answers sample {index}, and the dataset has {len(samples)}", "--dataset FILE"
        )
    return samples[index]


def _grades(folder: RunFolder, scenario: Scenario) -> dict[int, AnswerGrade]:
    """By the index of the sample; empty where the run has no requests.parquet."""
    if not folder.requests.is_file():
        return {}
    rows = requests.of_run(requests.read(folder.requests), scenario, Mode.ACCURACY)
    return {row["sample_index"]: _grade(row) for row in rows.to_pylist()}


def _grade(row: Mapping[str, Any]) -> AnswerGrade:
    scores = {
        name.removeprefix(requests.SCORE_PREFIX): value
        for name, value in row.items()
        if name.startswith(requests.SCORE_PREFIX) and value is not None and not math.isnan(value)
    }
    said = tuple(text for name, text in row.items() if name.startswith(requests.WHY_PREFIX) and text)
    return AnswerGrade(row["verdict"] or "", scores, said)
