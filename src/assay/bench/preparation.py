"""The one preparation of a job: all that is looked at before anything is fetched or runs.

`plan` shows the whole of it; `bench` ends with the first thing that stands in the way.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from assay import suts
from assay.bench import compliance_due, earlier, fetching
from assay.bench.fetching import Wanted
from assay.bench.obstacles import Obstacles
from assay.config import FETCH_NOTHING, BenchmarkConfig, Delivery, Division, EarlierRun, Mode, Request
from assay.ground.errors import AssayError, ConfigError
from assay.ground.hub import Hub
from assay.machine.container.engine import find_engine
from assay.mlperf import workloads
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.data.dataset import Dataset
from assay.mlperf.run import job as jobs
from assay.mlperf.run import wheels
from assay.mlperf.run.job import Job
from assay.mlperf.scoring.programs import code_problems
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.workloads import artifact
from assay.mlperf.workloads.workload import Workload
from assay.suts import identity

NO_HUB = Hub()


@dataclass(frozen=True)
class Ready:
    """What a run begins with."""

    job: Job
    data: Dataset
    accuracy_data: Dataset | None = None
    """Of the accuracy run, where it has another data set."""


@dataclass(frozen=True)
class Preparation:
    """What is known of a job before anything is fetched or runs."""

    config: BenchmarkConfig
    """As asked, with a path for everything that is here."""
    wanted: tuple[Wanted, ...] = ()
    """What is to be fetched first."""
    kind: SutKind | None = None
    """None for a SUT that is not known."""
    job: Job | None = None
    """None when the config cannot be run."""
    checkpoint: Path | None = None
    """Folder of the weights; None while they are away, and when what is named is none."""
    spec: SutSpec | None = None
    """What the SUT would be built from; None when it cannot be."""
    data: Dataset | None = None
    """None while it is away, and when it cannot be read."""
    accuracy_data: Dataset | None = None
    """Of the accuracy run, where it has another data set."""
    problems: tuple[AssayError, ...] = ()
    """What stands in the way, in the order in which it was met."""
    no_room: tuple[AssayError, ...] = ()
    """Why the machine cannot hold what is to be fetched."""
    notes: tuple[str, ...] = ()
    is_done: bool = False
    """The run folder holds a finished run, which is taken as it is."""

    @property
    def workload(self) -> Workload:
        return workloads.get(self.config.workload)

    def refuse(self) -> None:
        """Raises: AssayError, the first thing that stands in the way."""
        for error in (*self.problems, *self.no_room):
            raise error

    def ready(self) -> Ready:
        """What the run begins with. Raises: as `refuse`; ConfigError for what is still to be fetched."""
        self.refuse()
        if self.wanted:
            raise ConfigError(f"not here: {self.wanted[0]}", "fetch it first, or name a path")
        assert self.job is not None and self.data is not None
        return Ready(self.job, self.data, self.accuracy_data)


def of_request(request: Request, hub: Hub = NO_HUB) -> Preparation:
    """The measurement and what is asked for around it: run folder, container, submission, compliance."""
    made, way = of_measurement(request, hub), Obstacles()
    config, delivery = made.config, request.delivery
    if way.past(lambda: earlier.finished(config, delivery.earlier_run)) is not None:
        return Preparation(config, kind=made.kind, is_done=True)
    way.add(made.problems)
    way.past(lambda: _refuse_folder(request))
    if delivery.container is not None:
        engine = delivery.container.engine
        way.past(lambda: find_engine(engine))
    if delivery.submit and made.kind is not None:
        way.past(lambda: refuse_other_weights(config))
        way.past(lambda: _refuse_tree(request))
    job = made.job
    if way.past(lambda: compliance_due.is_due(config, delivery)) and job is not None:
        way.past(lambda: _refuse_compliance(job, made.data))
    return dataclasses.replace(made, problems=tuple(way.found))


def of_measurement(request: Request, hub: Hub = NO_HUB) -> Preparation:
    """What is measured, and with what. Asks a server only for sizes that nothing else tells."""
    way, may_fetch = Obstacles(), request.delivery.may_fetch
    config = jobs.in_one_mode(request.config)
    kind = way.past(lambda: suts.of(config))
    if kind is None:
        return Preparation(config, problems=tuple(way.found))
    job = way.past(lambda: fetching.job(config, may_fetch))
    config = way.past(lambda: fetching.found(config, hub, may_fetch)) or config
    with_model = way.past(lambda: fetching.with_checkpoint(config))
    with_data = way.past(lambda: fetching.with_dataset(with_model or config))
    config = with_data or with_model or config
    wanted = way.past(lambda: fetching.wanted(config, may_fetch)) or ()
    wanted = way.past(lambda: fetching.sized(wanted, hub)) or wanted
    workload = workloads.get(config.workload)
    file = config.paths.dataset
    old = artifact.warning(file, workload.dataset_files) if file else None
    made = Preparation(
        config,
        wanted,
        kind,
        checkpoint=jobs.checkpoint_of(config, workload) if with_model else None,
        data=way.past(lambda: _dataset(config, workload)) if with_data else None,
        notes=(old,) if old else (),
    )
    if job is not None:
        job = dataclasses.replace(job, config=dataclasses.replace(job.config, paths=config.paths))
        made = _with_job(made, job, way)
    room = Obstacles()
    room.past(lambda: fetching.refuse_without_room(config, wanted))
    return dataclasses.replace(made, problems=tuple(way.found), no_room=tuple(room.found))


def ready(config: BenchmarkConfig) -> Ready:
    """What a run of `config` begins with, when nothing is to be fetched any more.

    Raises: ConfigError, ArtifactError, EnvironmentProblem.
    """
    return of_measurement(Request(config, Delivery(may_fetch=FETCH_NOTHING))).ready()


def refuse_other_weights(config: BenchmarkConfig) -> None:
    """Check before a run that is to be submitted.

    Raises: ConfigError for the closed or network division with weights that are not the workload's own, or with a
    workload that the round does not hold.
    """
    if config.submission.division is Division.OPEN:
        return
    workload, round_ = workloads.get(config.workload), workloads.round_of(config.round, config.workload)
    if workload.own_rules is not None and workload.name not in round_.workloads:
        raise ConfigError(
            f"{workload.name} is in no round: the {config.submission.division.value} division takes no tree of it",
            "--division open, or --no-submit",
        )
    asked = config.paths.checkpoint if suts.of(config).needs_checkpoint else None
    if asked is None:
        return
    known = identity.said_of(asked, workloads.model_of(workload))
    if known is not None and known.is_official is False:
        raise ConfigError(
            f"the {config.submission.division.value} division takes the workload's own model alone: {known.note}",
            "--division open, or the official checkpoint",
        )


def _refuse_folder(request: Request) -> None:
    """Raises: ConfigError where the run cannot begin, or go on, in the folder that is named."""
    out, wanted = request.config.paths.out, request.delivery.earlier_run
    if out is None:
        return
    if wanted is EarlierRun.RESUME:
        earlier.require_resumable(out)
    elif wanted is EarlierRun.REPLACE or (wanted is EarlierRun.REUSE and earlier.holds_run(out)):
        earlier.require_removable_run(out)
    else:
        earlier.refuse_taken(out)


def _refuse_tree(request: Request) -> None:
    """Raises: ConfigError for a submission folder that is none, or is to be cleaned and holds something else."""
    tree = request.config.submission.out
    if tree is None:
        return
    if tree.exists() and not tree.is_dir():
        raise ConfigError(f"{tree} is no folder", "--submission-out a folder to make, or a tree to add to")
    if request.delivery.clean_submission:
        earlier.require_removable_tree(tree)


def _with_job(made: Preparation, job: Job, way: Obstacles) -> Preparation:
    """With all that hangs on the job."""
    way.past(lambda: wheels.refuse_unusable(job.wheel))
    way.past(lambda: _refuse_unreadable(job, made.checkpoint))
    if (data := made.data) is not None:
        has_two = job.config.paths.accuracy_dataset is not None
        way.past(lambda: (job.of_mode(Mode.PERFORMANCE) if has_two else job).samples(len(data.samples)))
    accuracy_data = way.past(lambda: _accuracy_dataset(job))
    is_known = made.checkpoint is not None or made.config.paths.checkpoint is None
    spec = way.past(lambda: job.sut_spec(made.checkpoint, job.tokenizer)) if is_known else None
    return dataclasses.replace(made, job=job, spec=spec, accuracy_data=accuracy_data)


def _refuse_unreadable(job: Job, checkpoint: Path | None) -> None:
    """Raises: ArtifactError for what only the scoring of answers reads, and would find wrong after the run."""
    asked = job.config.paths
    is_scored = Mode.ACCURACY in job.config.modes
    reader = asked.tokenizer or (checkpoint if asked.checkpoint and is_scored else None)
    if reader is not None and (is_scored or tokenizer.file_of(reader) is None):
        tokenizer.load(reader)
    if asked.lcb_tests is not None:
        code_problems.find(asked.lcb_tests)


def _dataset(config: BenchmarkConfig, workload: Workload) -> Dataset | None:
    """None while it is to be fetched. Raises: ArtifactError."""
    if config.paths.dataset is not None:
        return dataset.load(config.paths.dataset, workload.schema)
    return workload.own_dataset(config.style) if workload.own_dataset is not None else None


def _accuracy_dataset(job: Job) -> Dataset | None:
    """None where it is that of the whole job. Raises: ArtifactError, and ConfigError for too few rows."""
    path = job.config.paths.accuracy_dataset
    if path is None or Mode.ACCURACY not in job.config.modes:
        return None
    data = dataset.load(path, job.workload.schema)
    job.of_mode(Mode.ACCURACY).samples(len(data.samples))
    return data


def _refuse_compliance(job: Job, data: Dataset | None) -> None:
    """Raises: ConfigError, ArtifactError for a compliance test that is owed and could not be run afterwards."""
    compliance_due.refuse_missing(job.config, job.rules)
    for test in compliance_due.tests_of(job.rules):
        own = job.config.paths.compliance_dataset if test == compliance_due.SCORED else None
        if own is not None:
            compliance_due.refuse_small(test, len(dataset.read(own, job.workload.schema)))
        elif data is not None:
            compliance_due.refuse_small(test, job.of_mode(Mode.PERFORMANCE).samples(len(data.samples)))
