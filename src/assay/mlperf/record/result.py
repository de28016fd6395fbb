"""RunResult: what was asked, what was really used and what came out, as versioned JSON.

Every figure names its metric, unit, n and the file it was read from; `files` holds that file's SHA-256.
A figure that was not measured is absent or None with a reason, never 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.config import BenchmarkConfig, Mode, Scenario, TextEnum, plain
from assay.ground import files, paths
from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.parsed import json_value
from assay.ground.typed import typed
from assay.mlperf.record import result_schema
from assay.mlperf.record.result_schema import SCHEMA_VERSION
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.target import Score, Target
from assay.mlperf.sut.interface import Used


class Status(TextEnum):
    """How far a job came."""

    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    INTERRUPTED = "INTERRUPTED"
    FAILED = "FAILED"


class RunValidity(TextEnum):
    """LoadGen's own word on a performance run; it does not judge accuracy runs."""

    VALID = "VALID"
    INVALID = "INVALID"
    NOT_JUDGED = ""


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    metric: str
    """For example samples_per_s, tokens_per_s, ttft_p99, latency_mean."""
    value: float
    unit: str
    n: int
    """Samples (or queries) that the number is over."""
    file: str
    """Where it was read, relative to the run folder."""


@dataclass(frozen=True)
class ScoredMetric:
    """A score beside its own target; the two are paired by metric name only."""

    metric: str
    value: float | None
    unit: str
    n: int
    interval: tuple[float, float] | None
    low: float | None
    high: float | None
    reference: float | None
    met: bool | None
    """None when there is no value or no target."""
    ungraded: int
    reason: str
    source: str
    """Where the target comes from."""
    file: str
    """Where the answers were read, relative to the run folder."""
    details: Mapping[str, object] = field(default_factory=dict)


def pair(score: Score, targets: Mapping[str, Target], file: str) -> ScoredMetric:
    """Hold one score against the target of the same name, if there is one."""
    target = targets.get(score.metric)
    return ScoredMetric(
        metric=score.metric,
        value=score.value,
        unit=score.unit,
        n=score.n,
        interval=score.interval,
        low=target.low if target else None,
        high=target.high if target else None,
        reference=target.reference if target else None,
        met=target.met_by(score) if target else None,
        ungraded=score.ungraded,
        reason=score.reason,
        source=target.source if target else "",
        file=file,
        details=score.details,
    )


@dataclass(frozen=True)
class EnergyPart:
    """One counter of the machine. `joules` None = it gave no figure, for the reason in `why_not`."""

    name: str
    covers: str
    joules: float | None
    why_not: str = ""


@dataclass(frozen=True)
class EnergyUsed:
    """Of a performance run, from its first query to its last answer; nothing is taken off for idling."""

    joules: float | None
    """None = not measured, for the reason in `why_not`; never 0 for want of a counter."""
    joules_per_token: float | None
    seconds: float
    covers: tuple[str, ...] = ()
    """What is in the joules: processor, memory, accelerator, or whole system."""
    parts: tuple[EnergyPart, ...] = ()
    why_not: str = ""

    @property
    def watts(self) -> float | None:
        """The mean."""
        return None if self.joules is None or not self.seconds else self.joules / self.seconds


@dataclass(frozen=True)
class ModeResult:
    """One LoadGen run."""

    scenario: Scenario
    mode: Mode
    validity: RunValidity
    invalid_because: tuple[str, ...]
    samples: int
    """Samples answered."""
    seconds: float
    figures: tuple[Figure, ...]
    scores: tuple[ScoredMetric, ...]
    warnings: tuple[str, ...]
    folder: str
    """Relative to the run folder."""
    effective: Mapping[str, object]
    """Settings that LoadGen says it ran with, seeds included, under LoadGen's names."""
    limits_ms: Mapping[str, float] = field(default_factory=dict)
    """Most that a figure of this run may be, by its metric: `ttft_p99`, `tpot_p99`; only Server has some."""
    faults: tuple[str, ...] = ()
    """Failures of the system under test that LoadGen does not see: they make the run INVALID."""
    kept_answers: int = 0
    """Answers of an accuracy run that a process gave which was stopped; LoadGen was asked for the others alone."""
    energy: EnergyUsed | None = None
    """None of an accuracy run, and of a record that was made before it was measured."""
    definitions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Tool -> metric -> value: of a run with first tokens, by five tools' definitions (docs/definitions.md)."""
    told_late_ms: Mapping[str, float] = field(default_factory=dict)
    """`p50`, `p99`, `max` over its first tokens: from when their bytes were on this machine to when LoadGen was told.
    Empty where the system under test is no server over the network, or reports no first tokens."""

    @property
    def is_invalid(self) -> bool:
        """LoadGen says so, or the system under test failed in a way that LoadGen does not see."""
        return bool(self.faults) or self.validity is RunValidity.INVALID

    def figure(self, metric: str) -> Figure | None:
        return next((f for f in self.figures if f.metric == metric), None)

    def setting(self, name: str) -> float | None:
        """A number of `effective`, as `min_duration_ms` or `target_qps`; None where LoadGen named none."""
        value = self.effective.get(name)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class DatasetUsed:
    """The samples that were asked about."""

    path: str
    """The file, or what an embedded set is called."""
    sha256: str | None
    rows: int
    """Samples that the dataset holds."""
    samples: int
    """Samples that the run used."""
    is_whole_set: bool
    """Whether these are all that the round's targets speak of."""
    rows_used: tuple[int, ...] = ()
    """The row of each sample, where those are not the first ones."""


@dataclass(frozen=True)
class LoadgenUsed:
    """The LoadGen wheel, and the round whose seeds it was given."""

    version: str
    round: str
    seeds: Seeds


@dataclass(frozen=True)
class ModelUsed:
    """Which model the loaded weights are."""

    official: str
    """Name of the workload's own model."""
    is_official: bool | None
    """None = shape and names agree, and nothing proves the weights."""
    parameters: int


@dataclass(frozen=True)
class SystemField:
    """One field of the system description; `value` None = the machine does not say."""

    value: str | None
    source: str


@dataclass(frozen=True)
class RunResult:
    """The record of one job. `write` and `read` are each other's inverse. Every field: docs/result.md."""

    status: Status
    is_fake: bool
    workload: str
    round: str
    command: tuple[str, ...]
    """A command line that asks for the same job again."""
    asked: BenchmarkConfig
    used: Used | None
    """None = the system under test was not loaded."""
    dataset: DatasetUsed
    loadgen: LoadgenUsed
    system: Mapping[str, SystemField]
    """Field of a submission's system description -> what this machine says."""
    runs: tuple[ModeResult, ...]
    files: Mapping[str, str]
    """file relative to the run folder -> SHA-256; empty while the run goes on"""
    started_at: str
    finished_at: str
    assay: str
    reason: str = ""
    """Why a run that is not COMPLETE stopped."""
    notes: tuple[str, ...] = ()
    """What a reader must know: random weights, short run, superseded dataset."""
    model: ModelUsed | None = None
    """None = no weights were loaded, or the embedded ones."""
    accuracy_dataset: DatasetUsed | None = None
    """Of the accuracy runs; None = `dataset`, as of all runs."""
    schema_version: int = SCHEMA_VERSION

    @property
    def scored_dataset(self) -> DatasetUsed:
        """The samples whose answers were scored."""
        return self.accuracy_dataset or self.dataset

    @property
    def details(self) -> Mapping[str, Any]:
        """What the system under test tells beside the typed fields; empty where none was loaded."""
        return self.used.details if self.used else {}

    @property
    def foreign_tool(self) -> str:
        """The tool whose record was imported; empty for a run of Assay's own."""
        return "" if self.command else str(self.details.get("tool", ""))

    @property
    def performance_only(self) -> str:
        """Why its answers say nothing but how fast they came; empty where they may have a score."""
        return self.used.performance_only if self.used else ""

    def find(self, scenario: Scenario, mode: Mode) -> ModeResult | None:
        return next((r for r in self.runs if r.scenario == scenario and r.mode == mode), None)

    def to_dict(self) -> dict[str, Any]:
        """result.json as plain values."""
        found: dict[str, Any] = plain(self)
        return found

    def write(self, folder: Path) -> Path:
        """Write result.json into `folder`, whole or not at all."""
        path = RunFolder(folder).result
        files.write_json(path, self.to_dict())
        return path


class NoRunFolder(ArtifactError):
    """What was named is no run folder: a slip of the command line, which ends as one."""

    exit_code = ConfigError.exit_code


def read(folder: Path) -> RunResult:
    """The result of a run folder, of any schema up to this one. One that says RUNNING without a process that runs it
    was INTERRUPTED.

    Raises: NoRunFolder; ArtifactError when result.json is missing, damaged, or of a newer schema.
    """
    made = _read(folder)
    if made.status is Status.RUNNING and not files.is_held(folder):
        made = _read(folder)  # its process may have ended since, and left its last record
        if made.status is Status.RUNNING:
            return dataclasses.replace(made, status=Status.INTERRUPTED, reason="its process was killed")
    return made


def _read(folder: Path) -> RunResult:
    """What stands in the record. Raises: as `read`."""
    path = RunFolder(folder).result
    try:
        return typed(RunResult, result_schema.migrated(json_value(path.read_bytes()), path), "the record")
    except (FileNotFoundError, NotADirectoryError):
        raise _no_run(folder) from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} is not a run result: {error}", "run the benchmark again") from error


def _no_run(folder: Path) -> ArtifactError:
    """For a folder without result.json: what it is instead, as far as its files tell."""
    hint = "name a run folder made by `assay bench`"
    if not folder.exists():
        return NoRunFolder(f"there is no folder {folder}", paths.near(folder) or hint)
    if not folder.is_dir():
        its_run = f"its run folder: {folder.parent}" if RunFolder(folder.parent).is_run else hint
        return NoRunFolder(f"{folder} is a file, not a run folder", its_run)
    if RunFolder(folder).is_run:
        goes_on = f"wait for its end; one that was stopped goes on with `assay bench --resume {folder}`"
        return ArtifactError(f"the run in {folder} has recorded nothing yet", goes_on)
    if verb := RunFolder(folder).made_by:
        return NoRunFolder(
            f"{folder} holds what `assay {verb}` measured, not a run",
            f"the same `assay {verb}` command with --out {folder} shows it again"
            + (", --html FILE as a page" if verb == "load" else ""),
        )
    below = sorted(path.parent.name for path in folder.glob(f"*/{RunFolder(folder).result.name}"))
    hint = f"runs in it: {', '.join(below[:5])}" if below else hint
    return NoRunFolder(f"no {RunFolder(folder).result.name} in {folder}", hint)
