"""The state of a running benchmark, and the reporter that shows its progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from assay.config import Delivery, Mode, Request, Scenario
from assay.doors import config_text, delivery_options
from assay.mlperf import workloads
from assay.mlperf.data.dataset import Dataset
from assay.mlperf.data.sample import Sample
from assay.mlperf.record.result import ModeResult, RunResult
from assay.mlperf.run.job import Job
from assay.mlperf.sut.interface import Used
from assay.mlperf.sut.progress import OnProgress
from assay.suts import identity
from assay.suts.identity import Identity


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True)
class Reporter:
    """Receives progress messages and counters, the request when its run begins, and the result as soon as everything is
    measured and scored."""

    say: Callable[[str], None]
    progress: OnProgress
    on_result: Callable[[RunResult], None] = _ignore
    on_start: Callable[[Request], None] = _ignore
    """Called once nothing stands in the way and the run folder is there."""


@dataclass
class RunInProgress:
    """The state of a running job; `record` writes it down as a RunResult."""

    job: Job
    data: Dataset
    folder: Path
    reporter: Reporter
    delivery: Delivery = field(default_factory=Delivery)
    runs: list[ModeResult] = field(default_factory=list)
    requests: list[pa.Table] = field(default_factory=list)
    """The rows of each LoadGen run in `runs`."""
    requests_kept: int = 0
    """How many of them requests.parquet holds."""
    accuracy_data: Dataset | None = None
    """Of the accuracy run, where it has another data set."""
    is_part: bool = False
    """One mode of a job whose modes have a data set each."""
    used: Used | None = None
    resumed_from: Used | None = None
    """What answered before the process of this run was stopped; None = it runs for the first time."""
    notes: list[str] = field(default_factory=list)
    target_qps: dict[Scenario, float] = field(default_factory=dict)
    """Samples/s asked of LoadGen."""
    started_at: str = field(default_factory=lambda: now())

    def parts(self) -> list[RunInProgress]:
        """The parts of the job that are run over one data set each: the whole job, or each mode that has its own data
        set.

        A part shares runs, requests, notes and target_qps with the whole, as the same objects. `used` and
        `requests_kept` are its own.
        """
        return [self.part(mode) for mode in self.job.config.modes] if self.accuracy_data else [self]

    def part(self, mode: Mode) -> RunInProgress:
        """The part in that mode; the whole job where all modes have one data set."""
        if self.accuracy_data is None:
            return self
        data = self.accuracy_data if mode is Mode.ACCURACY else self.data
        return replace(self, job=self.job.of_mode(mode), data=data, accuracy_data=None, is_part=True)

    @cached_property
    def samples(self) -> Sequence[Sample]:
        """Those of the dataset that the job uses."""
        return self.job.choose(self.data.samples)

    def find(self, scenario: Scenario, mode: Mode) -> ModeResult | None:
        """The finished LoadGen run of that kind."""
        return next((run for run in self.runs if (run.scenario, run.mode) == (scenario, mode)), None)

    @property
    def missing(self) -> int:
        """How many LoadGen runs of the job, or of this part, are not finished."""
        config = self.job.config
        return sum(not self.find(scenario, mode) for scenario in config.scenarios for mode in config.modes)

    @property
    def is_finished(self) -> bool:
        return not self.missing

    @property
    def command(self) -> tuple[str, ...]:
        """The command line of the same run."""
        return (*config_text.command(self.job.config), *delivery_options.extra_flags(self.delivery))

    @property
    def tokenizer(self) -> Path | None:
        """Folder whose tokenizer reads the answers."""
        return self.job.tokenizer

    @property
    def identity(self) -> Identity | None:
        """Of the weights that were loaded; None without weights, and for the embedded ones."""
        asked = self.job.config.paths.checkpoint
        if asked is None or not self.job.kind.needs_checkpoint:
            return None
        return identity.said_of(asked, workloads.model_of(self.job.workload))


def now() -> str:
    """The time in UTC, ISO 8601, seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
