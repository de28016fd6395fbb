"""What a run answered: question, answer, truth and verdict of each sample of an accuracy run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError, ConfigError, did_you_mean
from assay.ground.files import sha256
from assay.mlperf import workloads
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.data.sample import Sample
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
    why: str = ""
    """What the scorer judged the answer by; empty where it says nothing of one."""


def of(folder: RunFolder, wanted: AnswerFilter) -> list[ShownAnswer]:
    """The answers of a run, in the order of its log.

    Raises: ArtifactError where the log, the dataset or the tokenizer cannot be read, or the dataset is another one
    than the run's; ConfigError for a scenario or subset that the run lacks, and for `is_wrong` without grades.
    """
    made = result.read(folder.path)
    workload = workloads.get(made.workload)
    scenario = _scenario(made, wanted.scenario)
    samples = _samples(made, workload, wanted.dataset)
    subsets = {sample.subset for sample in samples}
    if wanted.subset is not None and wanted.subset not in subsets:
        raise ConfigError(f"no subset {wanted.subset!r} in this run", did_you_mean(wanted.subset, subsets))
    verdicts, scores, said = _graded(folder, scenario)
    means = _means(scores, workload.verdicts)
    if wanted.is_wrong and not verdicts:
        raise ConfigError(f"{folder}: no answer of this run was judged right or wrong", "leave --wrong out")
    reader = tokenizer.load(_tokenizer(made, workload, wanted.tokenizer))
    path = folder.logs(scenario, Mode.ACCURACY) / names.ACCURACY_FILE
    chosen = [
        (sample, record)
        for record in log.read(path, "int32", reader.vocab_size)
        if (sample := _at(samples, record.qsl_idx, path))
        and wanted.subset in (None, sample.subset)
        and (not wanted.is_wrong or verdicts.get(sample.index) == "wrong")
    ]
    ids = [record.token_ids for _, record in chosen]
    texts = {
        special: reader.decode(ids, keeps_special=special) if chosen else [] for special in (False, True)
    }
    return [
        ShownAnswer(
            sample_index=sample.index,
            row=sample.row,
            id=sample.id,
            subset=sample.subset,
            question=sample.prompt,
            answer=text,
            truth=sample.truth,
            verdict=verdicts.get(sample.index, ""),
            scores=scores.get(sample.index, {}),
            why="; ".join(
                filter(
                    None,
                    [
                        _why(workload, sample, text, whole),
                        *said.get(sample.index, ()),
                        *_beside(scores.get(sample.index, {}), means),
                    ],
                )
            ),
        )
        for (sample, _), text, whole in zip(chosen, texts[False], texts[True])
    ]


def _means(scores: Mapping[int, Mapping[str, float]], verdicts_of: Collection[str]) -> dict[str, float]:
    """Of each metric that gives an answer a value and no verdict, over the run."""
    values: dict[str, list[float]] = {}
    for each in scores.values():
        for metric, value in each.items():
            if metric not in verdicts_of:
                values.setdefault(metric, []).append(value)
    return {metric: sum(found) / len(found) for metric, found in values.items()}


def _beside(scores: Mapping[str, float], means: Mapping[str, float]) -> Iterator[str]:
    for metric, value in scores.items():
        if metric in means:
            yield f"{words.title(metric)} {value:.4g}, {means[metric]:.4g} in the mean of the run"


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
    if answer.why:
        first, *more = answer.why.splitlines()
        yield f"  why       {first}"
        yield from (f"            {line}" for line in more)
    if answer.scores:
        yield "  scores    " + ", ".join(f"{metric} {value:.5g}" for metric, value in answer.scores.items())


def _scenario(made: RunResult, asked: Scenario | None) -> Scenario:
    found = [run.scenario for run in made.runs if run.mode is Mode.ACCURACY]
    if not found:
        raise ConfigError(
            "this run has no accuracy run that ended", "a run with --mode accuracy logs its answers"
        )
    if asked is not None and asked not in found:
        raise ConfigError(f"this run has no accuracy run of {asked}", f"one of: {', '.join(map(str, found))}")
    return asked or found[0]


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


def _graded(
    folder: RunFolder, scenario: Scenario
) -> tuple[dict[int, str], dict[int, dict[str, float]], dict[int, list[str]]]:
    """Verdicts, scores and what is said of an answer, by sample; empty where the run has no requests.parquet."""
    if not folder.requests.is_file():
        return {}, {}, {}
    rows = requests.of_run(requests.read(folder.requests), scenario, Mode.ACCURACY)
    index = rows["sample_index"].to_pylist()
    verdicts = {i: said for i, said in zip(index, rows["verdict"].to_pylist()) if said}
    scores: dict[int, dict[str, float]] = {i: {} for i in index}
    said: dict[int, list[str]] = {i: [] for i in index}
    for name in rows.column_names:
        if name.startswith(requests.SCORE_PREFIX):
            for i, value in zip(index, rows[name].to_pylist()):
                if value is not None and not np.isnan(value):
                    scores[i][name.removeprefix(requests.SCORE_PREFIX)] = value
        if name.startswith(requests.WHY_PREFIX):
            for i, text in zip(index, rows[name].to_pylist()):
                if text:
                    said[i].append(text)
    return verdicts, scores, said
