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

from assay.ground import files
from assay.ground.errors import ArtifactError
from assay.ground.parsed import json_value
from assay.mlperf.score import Score, Target

SCHEMA_VERSION = 1
RESULT_FILE = "result.json"

RUNNING, COMPLETE, INTERRUPTED, FAILED = "RUNNING", "COMPLETE", "INTERRUPTED", "FAILED"


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
class ModeResult:
    """One LoadGen run."""

    scenario: str
    mode: str
    validity: str
    """LoadGen's own word, VALID or INVALID; empty for an accuracy run, which LoadGen does not judge."""
    invalid_because: tuple[str, ...]
    samples: int
    """Samples answered."""
    seconds: float
    figures: tuple[Figure, ...]
    scores: tuple[ScoredMetric, ...]
    warnings: tuple[str, ...]
    folder: str
    """Relative to the run folder."""
    effective: Mapping[str, Any]
    """Settings that LoadGen says it ran with, seeds included."""
    limits_ms: Mapping[str, float] = field(default_factory=dict)
    """Most that a figure of this run may be, by its metric: `ttft_p99`, `tpot_p99`; only Server has some."""

    def figure(self, metric: str) -> Figure | None:
        return next((f for f in self.figures if f.metric == metric), None)


@dataclass(frozen=True)
class RunResult:
    """The record of one job. `to_json` and `read` are each other's inverse."""

    status: str
    """COMPLETE, INTERRUPTED or FAILED; RUNNING while it is none of these yet"""
    is_fake: bool
    workload: str
    round: str
    command: tuple[str, ...]
    """A command line that asks for the same job again."""
    asked: Mapping[str, Any]
    used: Mapping[str, Any]
    dataset: Mapping[str, Any]
    """path, sha256, samples used, rows"""
    loadgen: Mapping[str, Any]
    """wheel version, seeds"""
    system: Mapping[str, Any]
    """system description: field -> {value, source}"""
    runs: tuple[ModeResult, ...]
    files: Mapping[str, str]
    """file relative to the run folder -> SHA-256"""
    started_at: str
    finished_at: str
    assay: str
    reason: str = ""
    """Why a run that is not COMPLETE stopped."""
    notes: tuple[str, ...] = ()
    """What a reader must know: random weights, short run, superseded dataset."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """official (name of the workload's model), is_official (None: not proven), parameters; empty without weights"""
    schema_version: int = SCHEMA_VERSION

    def find(self, scenario: str, mode: str) -> ModeResult | None:
        return next((r for r in self.runs if r.scenario == scenario and r.mode == mode), None)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def write(self, folder: Path) -> Path:
        """Write result.json into `folder`, whole or not at all."""
        path = folder / RESULT_FILE
        files.write_json(path, self.to_dict())
        return path


def read(folder: Path) -> RunResult:
    """The result of a run folder. One that says RUNNING without a process that runs it was INTERRUPTED.

    Raises: ArtifactError when result.json is missing, not JSON, or of another schema version.
    """
    path = folder / RESULT_FILE
    try:
        tree = json_value(path.read_text(encoding="utf-8"))
        version = tree["schema_version"]
        if version != SCHEMA_VERSION:
            raise ArtifactError(f"{path} has schema version {version}, this Assay reads {SCHEMA_VERSION}")
        runs = tuple(_mode_result(run) for run in tree.pop("runs"))
        tree["notes"], tree["command"] = tuple(tree["notes"]), tuple(tree["command"])
        made = RunResult(runs=runs, **tree)
        if made.status == RUNNING and not files.is_held(folder):
            made = dataclasses.replace(made, status=INTERRUPTED, reason="its process was killed")
        return made
    except FileNotFoundError:
        raise ArtifactError(
            f"no {RESULT_FILE} in {folder}", "name a run folder made by `assay bench`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{path} is not a run result: {error}", "run the benchmark again") from error


def _mode_result(tree: dict[str, Any]) -> ModeResult:
    tree["figures"] = tuple(Figure(**f) for f in tree["figures"])
    tree["scores"] = tuple(
        ScoredMetric(**{**s, "interval": tuple(s["interval"]) if s["interval"] else None})
        for s in tree["scores"]
    )
    tree["warnings"], tree["invalid_because"] = tuple(tree["warnings"]), tuple(tree["invalid_because"])
    return ModeResult(**tree)
