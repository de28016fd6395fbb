"""The library: what a Python program asks Assay for, and what it gets. `assay.NAME` is NAME here.

docs/guide/python.md holds the promise of stability: a parameter, a field or a name that is documented there is kept,
or warns for one minor version before it goes. The settings are those of the command line, read by the same readers.

Every function raises AssayError for what a user can mend; `message` and `hint` are what the command line prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.bench.python_words import spoken
from assay.config import Delivery, OptionValue, Request
from assay.doors import config_options, delivery_options, store
from assay.doors.hub_settings import hub_of
from assay.doors.sut_options import GROUP
from assay.ground import paths, settings, store_contents
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.scoring import rouge
from assay.mlperf.sut.option import BETWEEN, text_of

if (
    TYPE_CHECKING
):  # each function imports what it needs: `check` and `score` work without pyarrow, which a run needs
    from assay.bench.fetching import Wanted
    from assay.bench.pipeline import FinishedBenchmark
    from assay.bench.running import Reporter
    from assay.mlperf.checker.check import Report
    from assay.mlperf.record.result import RunResult
    from assay.mlperf.record.run_folder import RunFolder
    from assay.mlperf.rounds.target import Score
    from assay.mlperf.scoring.programs.grader import Grade
    from assay.mlperf.scoring.rouge import TextComparison
    from assay.report.answers import AnswerFilter

Words = str | Sequence[str]
"""One name, or several."""
Place = str | os.PathLike[str]
ARGUMENT, CALL = "argument {argument}", "argument workload"
"""What the record says of a setting that came with a call of `bench`, and of its workload."""


@dataclass(frozen=True)
class ScoredLog:
    """The scores of an accuracy log."""

    scores: tuple[Score, ...]
    """One for each metric of the workload; `value` is None where it could not be measured, and `reason` says why."""
    official: Mapping[str, float]
    """The results under the names that the official script gives them."""
    warnings: tuple[str, ...]
    """What is odd about the dataset."""

    def value(self, metric: str) -> float | None:
        """The value of one metric, as `rouge1`. Raises: KeyError for a metric that the workload does not have."""
        return {each.metric: each.value for each in self.scores}[metric]


@spoken
def bench(
    workload: str | None = None,
    *,
    scenario: Words | None = None,
    mode: Words | None = None,
    style: str | None = None,
    round: str | None = None,
    sut: str | None = None,
    device: str | None = None,
    precision: str | None = None,
    checkpoint: Place | None = None,
    tokenizer: Place | None = None,
    dataset: Place | None = None,
    accuracy_dataset: Place | None = None,
    compliance_dataset: Place | None = None,
    lcb_tests: Place | None = None,
    out: Place | None = None,
    samples: int | None = None,
    batch: int | None = None,
    target_qps: float | None = None,
    min_duration: float | str | None = None,
    submitter: str | None = None,
    division: str | None = None,
    system_name: str | None = None,
    submission_out: Place | None = None,
    sut_options: Mapping[str, OptionValue | Sequence[str]] | None = None,
    config: Place | None = None,
    submit: bool = False,
    compliance: bool = False,
    reuse: bool = False,
    rerun: bool = False,
    fetch: bool = False,
    say: Callable[[str], None] | None = None,
) -> FinishedBenchmark:
    """Run one benchmark, as `assay bench` does; None = what `config` says, else the workload, else mixtral-nano.

    scenario, mode: one name or several, as "offline" or ("offline", "server").
    min_duration: seconds, or a text as "10m".
    sut_options: options of the SUT by name, as {"url": "http://host:8000"}.
    config: a run.yaml, or the config.json of a run; arguments override it.
    submit: build, pack and check the submission tree. compliance: run the tests that the closed division owes.
    reuse, rerun: a run that `out` holds is taken as it is if it is finished, or replaced.
    fetch: a model or dataset that is not here may be downloaded.
    say: gets each progress message; None = silence.

    Raises: AssayError. A missed target or an INVALID run raises nothing: see `outcome` of what is returned.
    """
    from assay.bench import pipeline
    from assay.bench.running import Reporter

    asked = {
        "scenario": scenario,
        "mode": mode,
        "style": style,
        "round": round,
        "sut": sut,
        "device": device,
        "precision": precision,
        "checkpoint": checkpoint,
        "tokenizer": tokenizer,
        "dataset": dataset,
        "accuracy_dataset": accuracy_dataset,
        "compliance_dataset": compliance_dataset,
        "lcb_tests": lcb_tests,
        "out": out,
        "samples": samples,
        "batch": batch,
        "target_qps": target_qps,
        "min_duration": min_duration,
        "submitter": submitter,
        "division": division,
        "system_name": system_name,
        "submission_out": submission_out,
    }
    settings.set_home(store.folder(os.environ))
    file = config_options.read_file(Path(config) if config is not None else None)
    texts = _texts(asked, sut_options or {})
    made = config_options.build(workload, texts, file.settings, ARGUMENT, CALL, file.name)
    config_options.refuse_idle(made, texts)
    usual = Delivery(submit=submit, check=submit, pack=submit, compliance=compliance)
    delivery = file.delivery_over(usual)
    delivery = replace(
        delivery, submit=submit or delivery.submit, compliance=compliance or delivery.compliance
    )
    if earlier := delivery_options.earlier_run(made, reuse=reuse, rerun=rerun):
        delivery = replace(delivery, earlier_run=earlier)
    if delivery.submit:
        delivery_options.refuse_fake(made, delivery.allow_fake)
    reporter = _reporter(say) if say else Reporter(_keep_silent, lambda progress: None)
    consent = None if fetch else _refuse_to_fetch
    return pipeline.run(Request(made, delivery), hub_of(os.environ), reporter, consent)


@spoken
def check(folder: Place, *, round: str | None = None, submitter: str | None = None) -> Report:
    """Judge a submission tree, or its .tar.gz; round None = the one that the tree agrees with.

    Raises: AssayError where there is no tree. What is wrong with the tree is in `findings`.
    """
    from assay.mlperf.checker import check as checking
    from assay.mlperf.rounds import round as rounds

    settings.set_home(store.folder(os.environ))  # rounds of one's own lie there
    return checking.check(paths.source(Path(folder)), rounds.load(round) if round else None, submitter)


@spoken
def score(
    log: Place,
    dataset: Place,
    tokenizer: Place,
    *,
    workload: str | None = None,
    dtype: str = "int32",
    workers: int | None = None,
    lcb_tests: Place | None = None,
    unsafe_no_sandbox: bool = False,
) -> ScoredLog:
    """Score an mlperf_log_accuracy.json; workload None = mixtral-8x7b.

    dtype: of the logged token ids: int32, int64 or float.
    workers: programs that are graded at the same time; None = one for each core.
    Raises: AssayError for a log, dataset or tokenizer that cannot be read or does not belong to the others.
    """
    from assay.mlperf.scoring.programs.grader import Grade

    settings.set_home(store.folder(os.environ))
    tests = Path(lcb_tests) if lcb_tests is not None else None
    grade = Grade(workers, unsafe_no_sandbox, lcb_tests=tests)
    return score_log(Path(log), Path(dataset), Path(tokenizer), workload, dtype, grade)


@store_contents.used()
def score_log(
    log: Path,
    dataset: Path,
    tokenizer: Path,
    workload: str | None,
    dtype: str,
    grade: Grade,
    f_measures: TextComparison = rouge.f_measures,
) -> ScoredLog:
    """As `score`; also the work of `assay score`. `f_measures`: where ROUGE is computed."""
    from assay.mlperf.data import dataset_file
    from assay.mlperf.data import tokenizer as tokenizers
    from assay.mlperf.run import choosing
    from assay.mlperf.scoring import log as logs
    from assay.mlperf.scoring import score as scoring
    from assay.mlperf.workloads import likeness

    if grade.workers is not None and grade.workers < 1:
        raise ConfigError(f"workers {grade.workers}: at least one program must run", "leave it out")
    known = workloads.get(workload) if workload else workloads.USUAL
    words = tokenizers.load(tokenizer)
    records = logs.read(log, dtype, words.vocab_size)
    columns = dataset_file.read_columns(dataset)
    rows = workloads.by_schema(
        workload,
        lambda schema: schema.scored(columns, str(dataset)),
        lambda one, rows: not likeness.unlike(one, len(rows), words.eos_id),
    )
    samples = choosing.of_log(log, rows)
    unlike = likeness.unlike(known, len(rows), words.eos_id)
    scores = scoring.score(records, samples, words, grade, known.scorers, f_measures)
    return ScoredLog(
        tuple(scores), known.official_results(scores), (*unlike, *known.schema.warnings(samples))
    )


@store_contents.used()
def score_run(
    folder: RunFolder,
    wanted: AnswerFilter,
    dtype: str,
    grade: Grade,
    f_measures: TextComparison = rouge.f_measures,
) -> ScoredLog:
    """The accuracy run of a run folder scored anew, with what its record names; nothing in the folder is changed.

    dtype: of the logged token ids: int32, int64 or float. Raises: as `answers.logged`.
    """
    from assay.mlperf.record import result
    from assay.mlperf.scoring import log as logs
    from assay.mlperf.scoring import score as scoring
    from assay.report import answers

    run = answers.logged(folder, wanted)
    records = logs.read(run.log, dtype, run.tokenizer.vocab_size)
    scores = scoring.score(records, run.samples, run.tokenizer, grade, run.workload.scorers, f_measures)
    official = run.workload.official_results(scores)
    warnings = tuple(run.workload.schema.warnings(run.samples))
    if result.read(folder.path).is_fake:
        warnings = ("FAKE: no model gave these answers", *warnings)
    return ScoredLog(tuple(scores), official, warnings)


def read(folder: Place) -> RunResult:
    """The record of a run folder, also of one that an older Assay left. Raises: AssayError."""
    from assay.mlperf.record import result

    return result.read(Path(folder))


def _texts(asked: Mapping[str, object], of_sut: Mapping[str, OptionValue | Sequence[str]]) -> dict[str, str]:
    """{dotted field: text} of the arguments that were given, as the readers of options take them."""
    names = {field.flag[2:].replace("-", "_"): field.name for field in config_options.FIELDS}
    settings_ = {names[word]: _text(value) for word, value in asked.items() if value is not None}
    options = {f"{GROUP}.{word}": _option(value) for word, value in of_sut.items()}
    return settings_ | options


def _text(value: object) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return str(value)
    return ",".join(str(part) for part in value)


def _option(value: OptionValue | Sequence[str]) -> str:
    if isinstance(value, (str, int, float)):
        return text_of(value)
    return BETWEEN.join(value)


def _refuse_to_fetch(things: Sequence[Wanted]) -> None:
    if things:
        raise ConfigError(
            f"to be fetched first: {' and '.join(map(str, things))}",
            "fetch=True fetches it once; or name what you have: checkpoint=, dataset=",
        )


def _reporter(say: Callable[[str], None]) -> Reporter:
    """The messages of the command line, those of the SUT as it loads among them; no counts."""
    from assay.bench.running import Reporter

    return Reporter(say, lambda now: say(f"{now.phase}: {now.message}") if now.message else None)


def _keep_silent(_: str) -> None:
    pass
