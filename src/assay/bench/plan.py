"""The plan of a benchmark: bytes, disk, memory, minutes and blockers, before anything is downloaded or run.

Reads what `assay bench` would read first (config, rules, dataset, the checkpoint's config.json) and times a few
matrix products; the rest is arithmetic. What stands in the way is collected, not raised: the plan shows all of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from assay import suts
from assay.bench import answer_lengths, cost, fetching, model_sizes
from assay.bench.fetching import Wanted
from assay.config import BYTES_PER_WEIGHT, BenchmarkConfig, Division, Precision
from assay.ground import download, model_folder, settings
from assay.ground.errors import AssayError, ConfigError, EnvironmentProblem
from assay.ground.hub import Hub
from assay.mlperf import workloads
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.data.sample import Sample
from assay.mlperf.run import job as jobs
from assay.mlperf.run import wheels
from assay.mlperf.run.job import Job
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.planner import SutPlanner, SutWork
from assay.mlperf.workloads.workload import PublishedModel, Workload
from assay.suts import shape as shapes
from assay.suts.shape import RANDOM, WEIGHTS_KEY, ModelShape

LOADGEN_WHEEL_BYTES = 1_000_000
NO_HUB = Hub()


@dataclass(frozen=True)
class Blocker:
    """A reason why the benchmark cannot run, and what to do."""

    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True)
class Plan:
    """The needs of `assay bench` with the same options. Bytes, seconds."""

    workload: str
    sut: str
    precision: str
    samples: int | None
    """None when the dataset is not there."""
    answer_tokens: float | None
    """Mean tokens per answer that the minutes are for."""
    parameters: int | None
    weight_bytes: int | None
    """In the precision asked for."""
    sizes: model_sizes.ModelSizes | None
    """Of the workload's published model; None where it has none."""
    could_run: tuple[str, ...]
    """Published models that the free memory holds, with how; said where this one is too large."""
    download_bytes: int
    read_bytes: int
    disk_bytes: int
    ram_bytes: int
    ram_free_bytes: int
    parts: dict[str, float]
    """Part of the run -> seconds; empty when no estimate can be made."""
    seconds_at_most: float | None
    """With every answer at the longest that is allowed."""
    blockers: tuple[Blocker, ...]
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        return sum(self.parts.values()) if self.parts else None


def make(config: BenchmarkConfig, hub: Hub = NO_HUB) -> Plan:
    """Never raises for a job that cannot run: its blockers say why. `hub`: where its cache is looked for."""
    # As the SUT process has it: spinning threads slow a step a hundred times on a busy machine.
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")
    draft = _Draft(config, hub)
    draft.read()
    return draft.plan()


@dataclass
class _Draft:
    """What is known so far; a step that fails leaves a blocker and the others go on."""

    config: BenchmarkConfig
    hub: Hub
    wanted: tuple[Wanted, ...] = ()
    """What the run would fetch first."""
    job: Job | None = None
    samples: Sequence[Sample] = ()
    shape: ModelShape | None = None
    published: PublishedModel | None = None
    """What is to be fetched as the checkpoint."""
    is_random: bool = False
    model_config: dict[str, Any] = field(default_factory=dict)
    """config.json of the checkpoint."""
    kind: SutKind | None = None
    """None for a SUT that is not known."""
    spec: SutSpec | None = None
    """What the SUT would be built from; None when it cannot be built."""
    read_bytes: int = 0
    blockers: list[Blocker] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self) -> None:
        steps = (self._read_job, self._read_samples, self._read_checkpoint, self._check_loadgen)
        for step in (self._read_kind, *steps, self._examine):
            try:
                step()
            except AssayError as error:
                self._block(error)

    def plan(self) -> Plan:
        config, work = self.config, self._work()
        sizes = model_sizes.of(self.workload) if config.workload in workloads.names() else None
        ram = cost.ram_bytes(work)
        if work.sut is not None and cost.sut_bytes(work) is None:
            self.notes.append(f"the memory of the {config.sut} SUT is not known and not counted")
        free = psutil.virtual_memory().available
        could_run = self._check_memory(ram, free)
        logs = cost.log_bytes(work) + 3 * self._wheel_bytes()
        self._check_disk(logs)
        self._check_store()
        parts, at_most = ({}, None) if self.blockers else cost.seconds(work)
        if work.samples and work.sut and not parts and not self.blockers:
            self.notes.append(f"how fast the {config.sut} SUT answers is not known, so no time is said")
        if parts and self.shape is not None and any(scenario.is_paced for scenario in config.scenarios):
            self.notes.append("Server runs are counted at the pace of Offline")
        return Plan(
            workload=config.workload,
            sut=config.sut,
            precision=config.precision.value,
            samples=len(self.samples) or None,
            answer_tokens=sum(work.tokens) / len(work.tokens) if work.tokens else None,
            parameters=self._parameters(),
            weight_bytes=self._weight_bytes(config.precision) or None,
            sizes=sizes,
            could_run=could_run,
            download_bytes=self._download_bytes(),
            read_bytes=self.read_bytes,
            disk_bytes=logs + self._fetched_bytes(),
            ram_bytes=ram,
            ram_free_bytes=free,
            parts=parts,
            seconds_at_most=at_most,
            blockers=tuple(self.blockers),
            notes=tuple(self.notes),
        )

    def _work(self) -> cost.Work:
        folder, tokens = self.config.paths.tokenizer or self._checkpoint(), self._answer_tokens()
        return cost.Work(
            config=self.config,
            job=self.job,
            samples=self.samples,
            tokens=tokens,
            sut=self._sut_work(tokens),
            planner=self.planner,
            weight_bytes=self._weight_bytes(self.config.precision),
            read_bytes=self.read_bytes,
            tokenizer=tokenizer.file_of(folder) if folder else None,
            slowdown=cost.slowdown(),
        )

    def _parameters(self) -> int | None:
        """Of the checkpoint, or of the published model that would be fetched."""
        if self.shape is not None:
            return self.shape.parameters
        return self.published.parameters if self.published else None

    def _weight_bytes(self, precision: Precision) -> int:
        return int((self._parameters() or 0) * BYTES_PER_WEIGHT[precision])

    def _block(self, error: AssayError) -> None:
        blocker = Blocker(error.message, error.hint, error.exit_code)
        if blocker not in self.blockers:
            self.blockers.append(blocker)

    def _read_kind(self) -> None:
        self.kind = suts.of(self.config)

    def _read_job(self) -> None:
        self.config = fetching.found(jobs.in_one_mode(self.config), self.hub)
        self.wanted = fetching.wanted(self.config)
        self.job = fetching.job(self.config)
        self.wanted = fetching.sized(self.wanted, self.hub)
        self.notes += [f"fetched first, when bench is told --yes: {each}" for each in self.wanted]

    def _read_samples(self) -> None:
        config = self.config
        if config.paths.dataset is not None:
            rows: Sequence[Sample] = dataset.read(config.paths.dataset, self.workload.schema)
            self.read_bytes += config.paths.dataset.stat().st_size
        elif self.workload.own_dataset is not None:
            rows = self.workload.own_dataset(config.style).samples
        else:
            return
        self.samples = self.job.choose(rows) if self.job else rows
        if config.paths.accuracy_dataset is not None:
            other = dataset.read(config.paths.accuracy_dataset, self.workload.schema)
            self.notes.append(
                f"the accuracy run has a data set of its own, {len(other):,} rows: it is counted here as if "
                "it had the other one; `--mode accuracy` counts it alone"
            )

    def _read_checkpoint(self) -> None:
        if self.kind is None or not self.kind.needs_checkpoint:
            return
        folder = self._checkpoint()
        if folder is None:
            model = self.workload.model
            if model is None or all(each.source != model.source for each in self.wanted):
                return
            self.published = model
            if not self.kind.takes_model(model.config):
                raise ConfigError(
                    f"the {self.kind.name} SUT does not run models like {model.name}",
                    f"{self._other_suts(model)}, or a server that runs it: --sut endpoint --url URL",
                )
            if model.has_shape:
                self.shape, self.model_config = shapes.of(model.config), dict(model.config)
            return
        config = self.model_config = model_folder.read_config(folder)
        self.shape = shapes.of(config, str(folder / "config.json"))
        self.is_random = config.get(WEIGHTS_KEY) == RANDOM
        self.read_bytes += sum(path.stat().st_size for path in model_folder.weight_files(folder))

    def _other_suts(self, model: PublishedModel) -> str:
        able = [
            k.name
            for k in suts.kinds()
            if k.needs_checkpoint and k.precisions and k.takes_model(model.config)
        ]
        return " or ".join(f"--sut {name}" for name in able)

    def _checkpoint(self) -> Path | None:
        if self.config.paths.checkpoint is not None:
            return self.config.paths.checkpoint
        return self.workload.own_checkpoint() if self.workload.own_checkpoint is not None else None

    @property
    def workload(self) -> Workload:
        return workloads.get(self.config.workload)

    def _check_loadgen(self) -> None:
        if self.job is not None:
            wheel = self.job.wheel
            wheels.refuse_unusable(wheel)
            needed = 1e6 * wheels.memory_mb(wheel, max(len(self.samples), 1), max(len(self.samples), 1))
            if needed > psutil.virtual_memory().available:
                raise EnvironmentProblem(
                    f"LoadGen {wheel.version} needs {needed / 1e9:.1f} GB of memory",
                    "a later round, or fewer samples",
                )

    @property
    def planner(self) -> SutPlanner | None:
        return self.kind.load_planner() if self.kind else None

    def _examine(self) -> None:
        """Blockers that the SUT itself finds. Raises: AssayError, one more blocker."""
        self.spec = self._sut_spec()
        work = self._sut_work(())
        if work is None or self.planner is None:
            return
        try:
            found = self.planner.examine(work)
        except AssayError:
            self.spec = None
            raise
        self.notes += found.notes
        for error in found.blockers:
            self._block(error)

    def _sut_spec(self) -> SutSpec | None:
        """None without a job, or without the model that the SUT needs."""
        job, folder = self.job, self._checkpoint()
        if job is None or (job.kind.needs_checkpoint and self.shape is None):
            return None
        return job.sut_spec(folder, self.config.paths.tokenizer or folder)

    def _sut_work(self, tokens: Sequence[int]) -> SutWork | None:
        if self.spec is None:
            return None
        return SutWork(
            spec=self.spec,
            workload=self.config.workload,
            samples=self.samples,
            tokens=tokens,
            longest_answer=(self.job.rules.max_new_tokens or 0) if self.job else 0,
            model_config=self.model_config,
            is_closed=self.config.submission.division is not Division.OPEN,
        )

    def _answer_tokens(self) -> list[int]:
        """Expected length of each answer, steps that end it included."""
        paths = self.config.paths
        known: dict[int, int] = {}
        if paths.checkpoint is not None and paths.dataset is not None:
            known = answer_lengths.recall(paths.checkpoint, paths.dataset)
        most = (self.job.rules.max_new_tokens or 0) if self.job else 0
        expected = answer_lengths.expected(
            self.samples,
            most,
            self.workload,
            known,
            is_random=self.is_random,
            has_model=self.shape is not None,
        )
        self.notes += expected.notes
        return list(expected.tokens)

    def _check_memory(self, needed: int, free: int) -> tuple[str, ...]:
        """Blocks what does not fit, and gives the published models that do."""
        parameters = self._parameters()
        if parameters is None or needed <= free:
            return ()
        weights = self._weight_bytes(self.config.precision)
        beside = needed - weights
        able = self.kind.precisions if self.kind else ()
        smaller = [p.value for p in able if self._weight_bytes(p) + beside < free]
        most = max(free - beside, 0) / BYTES_PER_WEIGHT[self.config.precision]
        fits = f"{', '.join(smaller)} would fit" if smaller else "no precision of it fits"
        self.blockers.append(
            Blocker(
                f"the {parameters / 1e9:.1f} B parameters take {weights / 1e9:.1f} GB in "
                f"{self.config.precision.value} "
                f"({self._weight_bytes(Precision.FLOAT16) / 1e9:.1f} GB in float16); "
                f"{needed / 1e9:.1f} GB of memory are needed in all and {free / 1e9:.1f} GB are free",
                f"{fits} here; up to {most / 1e9:.2g} B parameters do in {self.config.precision.value}: "
                "`assay model upcycle` makes a small real Mixtral; or a server with more memory: --sut endpoint "
                "--url URL",
                EnvironmentProblem.exit_code,
            )
        )
        return tuple(model_sizes.could_run(model_sizes.table(), free))

    def _check_disk(self, needed: int) -> None:
        folder = self.config.paths.out or Path.cwd()
        free = download.free_bytes(folder)
        if free < needed:
            self._block(
                EnvironmentProblem(
                    f"{needed / 1e9:.1f} GB of disk are needed and {free / 1e9:.1f} GB are free", "--out"
                )
            )

    def _check_store(self) -> None:
        try:
            needed = self._fetched_bytes()
            download.require_space(settings.home(), needed, "what is to be fetched")
        except AssayError as error:
            self._block(error)

    def _download_bytes(self) -> int:
        """Model and dataset that are not here, where their sizes are known, and LoadGen's wheel."""
        return self._fetched_bytes() + self._wheel_bytes()

    def _fetched_bytes(self) -> int:
        return sum(each.size_bytes or 0 for each in self.wanted)

    def _wheel_bytes(self) -> int:
        try:
            return LOADGEN_WHEEL_BYTES if self.job and not wheels.is_stored(self.job.wheel) else 0
        except AssayError:
            return 0


def to_dict(plan: Plan) -> dict[str, Any]:
    """Plain JSON values, with the sum of the seconds."""
    import dataclasses

    return {
        **dataclasses.asdict(plan),
        "seconds": plan.seconds,
        "minutes": None if plan.seconds is None else plan.seconds / 60,
    }
