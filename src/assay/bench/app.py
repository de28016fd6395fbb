"""The benchmark, from a config to a report. Reads like the table of contents; each line is somebody's file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

import psutil

from assay import __version__, suts
from assay.bench import answer_lengths, embedded
from assay.config import BenchmarkConfig, Division, Mode, Scenario, Style
from assay.doors import native
from assay.ground import files, settings
from assay.ground.errors import AssayError, ConfigError, Interrupted
from assay.machine import probe
from assay.mlperf import artifact, choosing, dataset, result, target_rate, tokenizer, wheels
from assay.mlperf import job as jobs
from assay.mlperf import round as rounds
from assay.mlperf.checker import check
from assay.mlperf.checker.check import Report
from assay.mlperf.dataset import Dataset
from assay.mlperf.job import Job
from assay.mlperf.logs import ACCURACY_FILE, DETAIL_FILE, RunRecord
from assay.mlperf.progress import OnProgress, Progress
from assay.mlperf.result import ModeResult, RunResult, ScoredMetric
from assay.mlperf.run_folder import digests, figures
from assay.mlperf.run_spec import RunSpec
from assay.mlperf.sample import Sample
from assay.mlperf.scoring import log as answers
from assay.mlperf.scoring.grader import Grade
from assay.mlperf.scoring.paired import reference_values
from assay.mlperf.scoring.score import accuracy_text, score
from assay.mlperf.session import Session
from assay.mlperf.submission.pack import pack
from assay.mlperf.submission.write import Request, write
from assay.mlperf.sut import SutSpec, Used
from assay.report import readme
from assay.suts import identity
from assay.suts.identity import Identity

PROBE_BATCHES, PROBE_SAMPLES = 4, 8
"""Length of the pass that chooses a target rate when none is asked for: full batches, and the fewest samples."""
FIRST_TRY = "first_try"
"""Folder beside `performance` with the logs of a run whose chosen target was wrong."""
DEFAULT_SUBMITTER = "unnamed"
"""Folder of the submitter when no name was given."""
UNFINISHED = "not finished; if no process is at it any more, it broke off"
UNHURRIED_QPS = 1.0
"""Target of an Offline run without a duration, where LoadGen does nothing with it."""


@dataclass(frozen=True)
class Watch:
    """Who is told how it goes: sentences, and counts."""

    say: Callable[[str], None]
    progress: OnProgress


def prepare(config: BenchmarkConfig) -> tuple[Job, Dataset]:
    """The job and its whole dataset; nothing runs yet. Raises: ConfigError, ArtifactError, EnvironmentProblem."""
    suts.module_of(config.sut)
    if not embedded.is_embedded(config) and config.sut != "echo" and config.paths.checkpoint is None:
        artifact.require_room(config.precision, psutil.virtual_memory().total, settings.home())
    job = embedded.job(config) if embedded.is_embedded(config) else jobs.of(config)
    wheels.refuse_unusable(job.wheel)
    path = config.paths.dataset
    data = dataset.load(path) if path is not None else embedded.dataset(config)
    job.samples(len(data.samples))
    return job, data


def refuse_other_weights(config: BenchmarkConfig) -> None:
    """Before a run that is to be submitted. Raises: ConfigError for the closed or network division with weights that
    are not the workload's own."""
    asked = config.paths.checkpoint
    if asked is None or config.sut == "echo" or config.submission.division is Division.OPEN:
        return
    known = identity.said_of(asked)
    if known is not None and known.is_official is False:
        raise ConfigError(
            f"the {config.submission.division.value} division takes the workload's own model alone: {known.note}",
            "--division open, or the official checkpoint",
        )


def run(config: BenchmarkConfig, watch: Watch, *, unsafe_no_sandbox: bool = False) -> tuple[RunResult, Path]:
    """Run the whole job; gives its record and its run folder.

    The folder holds result.json and README.md in any case: a run that broke off is marked FAILED, one that was
    stopped INTERRUPTED, and what was finished before is kept. Raises: AssayError after that.
    """
    job, data = prepare(config)
    folder = claim(config.paths.out)
    files.write_json(folder / "config.json", job.config.to_dict())
    story = Story(job, data, folder, watch, unsafe_no_sandbox)
    try:
        story.measure()
    except (KeyboardInterrupt, Interrupted):
        story.break_off(result.INTERRUPTED, "stopped by the user")
        raise Interrupted(
            f"stopped by the user; what was finished is in {folder}",
            f"assay bench --config {folder / 'config.json'} --out NEW: the same job again",
        ) from None
    except AssayError as error:
        story.break_off(result.FAILED, error.message)
        raise
    return story.end(result.COMPLETE), folder


def claim(out: Path | None) -> Path:
    """The run folder, new or empty. Raises: ConfigError when it holds something, or LoadGen cannot take its name."""
    folder = out or Path.cwd() / "assay-runs" / datetime.now().strftime("%Y%m%d-%H%M%S")
    if os.fsencode(folder).decode("utf-8", "ignore") != str(folder):
        raise ConfigError(
            f"LoadGen takes no path that is not UTF-8: {folder}", "--out a folder of another name"
        )
    number = 1
    while out is None and folder.exists():
        number += 1
        folder = folder.with_name(f"{folder.name.split('.')[0]}.{number}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_taken = any(folder.iterdir())
    except OSError as error:
        raise ConfigError(
            f"cannot use run folder {folder}: {error.strerror}", "--out another folder"
        ) from error
    if is_taken:
        raise ConfigError(f"{folder} is not empty: it may hold another run", "--out a new folder")
    return folder


@dataclass
class Story:
    """What is known of a running job; at its end it becomes the RunResult."""

    job: Job
    data: Dataset
    folder: Path
    watch: Watch
    unsafe_no_sandbox: bool
    manner: tuple[str, ...] = ()
    """Words of the command that say where it ran, which is no part of what was asked."""
    runs: list[ModeResult] = field(default_factory=list)
    used: Used | None = None
    notes: list[str] = field(default_factory=list)
    target_qps: dict[Scenario, float] = field(default_factory=dict)
    started_at: str = field(default_factory=lambda: _now())

    @cached_property
    def samples(self) -> Sequence[Sample]:
        """Those of the dataset that the job uses."""
        return self.job.choose(self.data.samples)

    @property
    def command(self) -> tuple[str, ...]:
        """What to type for the same run."""
        unsafe = ["--unsafe-no-sandbox"] if self.unsafe_no_sandbox else []
        return (*native.command(self.job.config), *self.manner, *unsafe)

    def measure(self) -> None:
        """Every LoadGen run of the job. The record says RUNNING from here on, also when this process is killed."""
        config = self.job.config
        with files.held(self.folder):
            self.end(result.RUNNING, UNFINISHED)
            with self.session() as session:
                self.used = session.used
                for scenario in config.scenarios:
                    self.target_qps[scenario] = self.choose_target(session, scenario)
                    for mode in config.modes:
                        made = self.run_once(session, scenario, mode)
                        if self.choose_again(scenario, made):
                            made = self.run_once(session, scenario, mode)
                        self.runs.append(made)
                        self.end(result.RUNNING, UNFINISHED)

    def run_once(self, session: Session, scenario: Scenario, mode: Mode) -> ModeResult:
        record = session.run(spec := self.run_spec(scenario, mode))
        self.used = session.used
        return self.mode_result(spec, record)

    def session(self) -> Session:
        return Session(
            sut_module=suts.module_of(self.job.config.sut),
            spec=self.sut_spec(),
            samples=self.samples,
            wheel=self.job.wheel,
            log_dir=self.folder / "logs",
            on_progress=self.watch.progress,
        )

    def sut_spec(self) -> SutSpec:
        config = self.job.config
        return SutSpec(
            kind=config.sut,
            checkpoint=self.checkpoint,
            device=config.device,
            precision=config.precision,
            batch=config.limits.batch,
            generation=self.job.generation(self.checkpoint),
            server=Scenario.SERVER in config.scenarios,
            options=dict(config.sut_options),
        )

    @property
    def checkpoint(self) -> Path | None:
        return self.job.config.paths.checkpoint or (
            embedded.checkpoint() if self.job.workload.is_embedded else None
        )

    def choose_target(self, session: Session, scenario: Scenario) -> float:
        """Samples/s asked of LoadGen: as asked, else from a short probe where it makes a difference."""
        asked = self.job.config.limits.target_qps
        if asked is not None:
            return asked
        if scenario is Scenario.OFFLINE and not self.job.min_duration_s():
            return UNHURRIED_QPS
        batch = session.used.batch or 0
        rate = session.probe(min(max(PROBE_SAMPLES, PROBE_BATCHES * batch), len(self.samples)))
        target = target_rate.below_or_above(scenario, rate)
        self.notes.append(
            f"{scenario.value} target of {target:.4g} samples/s chosen after a probe of {rate:.4g}"
        )
        return target

    def choose_again(self, scenario: Scenario, made: ModeResult) -> bool:
        """Whether the run is to be repeated: LoadGen found it INVALID for a target that nobody had asked for.

        Its logs are kept in `first_try`.
        """
        better = target_rate.better(made)
        if self.job.config.limits.target_qps is not None or better is None:
            return False
        home, chosen = self.folder / scenario.value, self.target_qps[scenario]
        (home / FIRST_TRY).mkdir()
        for kept in (self.folder / made.folder, home / "user.conf"):
            kept.rename(home / FIRST_TRY / kept.name)
        said = f"{scenario.value} at {chosen:g} samples/s was INVALID ({made.invalid_because[0]})"
        self.notes.append(
            f"{said}: run again at {better:g}; the first logs are in {scenario.value}/{FIRST_TRY}"
        )
        self.watch.say(f"{said}: running again at {better:g}")
        self.target_qps[scenario] = better
        return True

    def run_spec(self, scenario: Scenario, mode: Mode) -> RunSpec:
        count = len(self.samples)
        is_short = self.job.config.style is not Style.VALID
        home = self.folder / scenario.value
        return RunSpec(
            scenario=scenario,
            mode=mode,
            loadgen_key=self.job.workload.loadgen_key,
            samples=count,
            target_qps=self.target_qps[scenario],
            seeds=self.job.round.seeds,
            out=home / ("accuracy" if mode is Mode.ACCURACY else "performance/run_1"),
            user_conf=home / "user.conf",
            min_duration_ms=round(1000 * self.job.min_duration_s()),
            min_query_count=count if is_short else None,
            max_query_count=count if is_short and not self.job.min_duration_s() else None,
            latency=self.job.rules.latency.get("Server"),
        )

    def mode_result(self, spec: RunSpec, record: RunRecord) -> ModeResult:
        place = spec.out.relative_to(self.folder).as_posix()
        samples = record.samples if record.samples is not None else spec.samples
        return ModeResult(
            scenario=spec.scenario.value,
            mode=spec.mode.value,
            validity=record.validity,
            invalid_because=record.invalid_because,
            samples=samples,
            seconds=record.seconds or 0.0,
            figures=tuple(figures(record, samples, f"{place}/{DETAIL_FILE}")),
            scores=self.scores(spec, place) if spec.mode is Mode.ACCURACY else (),
            warnings=(*record.errors, *record.warnings),
            folder=place,
            effective=record.effective,
            limits_ms=self.limits_ms(spec),
        )

    def limits_ms(self, spec: RunSpec) -> dict[str, float]:
        if spec.latency is None or spec.scenario is not Scenario.SERVER or spec.mode is not Mode.PERFORMANCE:
            return {}
        return {"ttft_p99": spec.latency.ttft_ms, "tpot_p99": spec.latency.tpot_ms}

    def scores(self, spec: RunSpec, place: str) -> tuple[ScoredMetric, ...]:
        """Score the accuracy log, write accuracy.txt beside it, hold each score against its target."""
        if self.checkpoint is None:
            self.notes.append(
                "answers were not scored: there is no checkpoint whose tokenizer could read them"
            )
            return ()
        words = tokenizer.load(self.checkpoint)
        grade = Grade(unsafe=self.unsafe_no_sandbox, progress=self._graded(spec))
        records = answers.read(spec.out / ACCURACY_FILE, "int32", words.vocab_size)
        self.keep_lengths(records)
        found = score(records, self.samples, words, grade)
        files.write_text(spec.out / "accuracy.txt", accuracy_text(found))
        paired = [result.pair(s, self.job.rules.targets, f"{place}/{ACCURACY_FILE}") for s in found]
        if embedded.is_paired(self.job.config):
            reference = reference_values(found, records, self.samples, words, grade)
            paired = [embedded.judged(each, s, reference) for each, s in zip(paired, found)]
        return tuple(paired)

    def keep_lengths(self, records: Sequence[answers.Record]) -> None:
        """For the next plan of the same model and dataset; a run never fails for it."""
        paths = self.job.config.paths
        if self.used and not self.used.is_fake and paths.checkpoint and paths.dataset:
            lengths = {self.samples[record.qsl_idx].row: len(record.token_ids) for record in records}
            try:
                answer_lengths.keep(paths.checkpoint, paths.dataset, lengths)
            except AssayError as error:
                self.watch.say(f"the next plan will not know how long these answers were: {error.message}")

    def _graded(self, spec: RunSpec) -> Callable[[int, int], None]:
        phase = f"{spec.scenario.value} grading"
        return lambda done, total: self.watch.progress(Progress(phase, done, total))

    def break_off(self, status: str, reason: str) -> None:
        """As `end`, for a job whose failure must be told in any case: the disk may be what failed it."""
        try:
            self.end(status, reason)
        except AssayError as error:
            self.watch.say(
                f"the record in {self.folder} stays as it was after the last finished run: {error.message}"
            )

    @property
    def identity(self) -> Identity | None:
        """Of the weights that were loaded; None without weights, and for the embedded ones."""
        asked = self.job.config.paths.checkpoint
        return None if asked is None or self.job.config.sut == "echo" else identity.said_of(asked)

    def end(self, status: str, reason: str = "") -> RunResult:
        """Write result.json and README.md, whatever there is."""
        job, used = self.job, self.used
        made = RunResult(
            status=status,
            reason=reason,
            is_fake=bool(used and used.is_fake),
            workload=job.workload.name,
            round=job.round.name,
            command=self.command,
            asked=job.config.to_dict(),
            used=dataclasses.asdict(used) if used else {},
            dataset={
                "path": self.data.source,
                "sha256": self.data.sha256,
                "rows": len(self.data.samples),
                "samples": len(self.samples),
                **({choosing.ROWS: rows} if (rows := choosing.rows_of(self.samples)) else {}),
                "is_whole_set": len(self.samples) == job.rules.dataset_samples,
            },
            loadgen={
                "version": job.wheel.version,
                "round": job.round.name,
                "seeds": dataclasses.asdict(job.round.seeds),
            },
            system=probe.describe(),
            runs=tuple(self.runs),
            files=digests(self.folder),
            started_at=self.started_at,
            finished_at=_now(),
            assay=__version__,
            notes=(*standing_notes(job, self.data, self.samples), *self.notes),
            model=known.to_dict() if (known := self.identity) else {},
        )
        made.write(self.folder)
        files.write_text(self.folder / "README.md", readme.render(made))
        return made


def submit(
    made: RunResult, folder: Path, config: BenchmarkConfig, allow_fake: bool = False
) -> tuple[Path, Report]:
    """The submission tree of one run folder, in the round and for the submitter asked for, and its check.

    Raises: ConfigError for what must not be submitted, EnvironmentProblem when the disk is full.
    """
    asked = config.submission
    round_ = rounds.load(made.round)
    request = Request(
        submitter=asked.submitter or DEFAULT_SUBMITTER,
        division=asked.division.value,
        round=round_,
        readme=readme.render,
        system_name=asked.system_name,
        allow_fake=allow_fake,
    )
    tree = asked.out or folder / "submission"
    write([folder], request, tree)
    pack(tree, tree.with_name(tree.name + ".tar.gz"))
    return tree, check.check(tree, round_, request.submitter)


def standing_notes(job: Job, data: Dataset, used: Sequence[Sample]) -> list[str]:
    """What a reader must know of any run of this job."""
    notes = []
    if job.config.style is not Style.VALID:
        notes.append(
            f"a {job.config.style.value}-style run over {len(used)} samples, by the rules not a submission"
        )
    if choosing.rows_of(used):
        notes.append(
            f"the samples are spread over the subsets: {choosing.words(used)}; "
            f"LoadGen's qsl_idx counts them, {choosing.ROWS} in result.json names their rows in the dataset"
        )
    checkpoint = job.config.paths.checkpoint
    if checkpoint is not None and job.config.sut != "echo":
        if (known := identity.said_of(checkpoint)) and known.note:
            notes.insert(0, known.note)
        if wishes := identity.unfollowed(checkpoint, job.generation(checkpoint).eos_id):
            notes.append(wishes)
    if job.workload.is_embedded:
        notes.append("mixtral-nano is Assay's own small workload; its figures say nothing about mixtral-8x7b")
    if Path(data.source).name in job.rules.superseded_files:
        notes.append(f"the dataset file is superseded by {job.rules.dataset_file}")
    return notes + dataset.warnings(data.samples)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
