"""Records of other tools as run folders, so that they can be shown, listed and compared. docs/import.md

Every figure is the tool's own, as its file has it: nothing is computed again. What the tool means by it is kept.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import assay
from assay.bench import foreign_rows, record
from assay.bench.foreign_rows import ForeignRequest
from assay.bench.running import now
from assay.config import BenchmarkConfig, Mode, Scenario
from assay.ground.count import counted
from assay.ground.errors import ConfigError
from assay.mlperf.record.result import (
    DatasetUsed,
    Figure,
    LoadgenUsed,
    ModeResult,
    RunResult,
    RunValidity,
    Status,
)
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run import requests
from assay.mlperf.sut.interface import Used

UNKNOWN = "unknown"
LOADGEN = "LoadGen"
NO_SEEDS = Seeds(0, 0, 0)
FILE = "source/{}"
"""Where a copy of what was read lies in the run folder."""
RATES = ("samples_per_s", "tokens_per_s")
SENT_TO_FIRST = "first token - sent"
SETTINGS = (
    "request_rate",
    "burstiness",
    "max_concurrency",
    "num_prompts",
    "backend",
    "rate",
    "streams",
    "concurrency",
)


@dataclass(frozen=True)
class ForeignRun:
    """What another tool recorded."""

    tool: str
    version: str
    model: str
    runs: tuple[ModeResult, ...]
    definitions: Mapping[str, str]
    """Kind of figure (`ttft`, `tpot`, …) -> what the tool means by it."""
    sources: Mapping[str, Path]
    """Name in the run folder -> the file that the figures were read from."""
    started_at: str = ""
    failed: int = 0
    """Requests without an answer: no figure holds them."""
    round: str = UNKNOWN
    seeds: Seeds = NO_SEEDS
    requests: tuple[ForeignRequest, ...] = ()
    """Where the tool kept them."""

    def __post_init__(self) -> None:
        """Raises: ValueError for a number that no run can have, with the file that holds it."""
        _refuse("failed requests", self.failed)
        for made in self.runs:
            _refuse(f"samples of {made.scenario}", made.samples)
            _refuse(f"duration of {made.scenario}", made.seconds)
            for figure in made.figures:
                _refuse(f"{figure.metric} of {figure.file}", figure.value, is_rate=figure.metric in RATES)
            for score in made.scores:
                _refuse(f"{score.metric} of {score.file}", score.value)


def _refuse(name: str, value: float | None, is_rate: bool = False) -> None:
    """A record holds no NaN and no infinity; nothing that is measured is negative, and no rate is 0."""
    if value is not None and (not math.isfinite(value) or value < 0 or (is_rate and value == 0)):
        raise ValueError(f"{name} is {value}")


def write(run: ForeignRun, out: Path) -> RunResult:
    """Make the run folder `out`: record, README.md, and a copy of what was read.

    Raises: ConfigError when `out` is there and not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there already", "--out NEW")
    for name, source in run.sources.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, out / name)
    if run.requests:
        rows = foreign_rows.table(run.runs[0].scenario, run.requests)
        requests.write(RunFolder(out).requests, [rows])
    return record.write_result(result(run), out)


def result(run: ForeignRun) -> RunResult:
    samples = max(each.samples for each in run.runs)
    failed = [f"{counted(run.failed, 'request')} failed, and no figure holds them"] if run.failed else []
    meant = [f"{name}: {meaning}" for name, meaning in run.definitions.items()]
    details = {"tool": run.tool, "version": run.version, "definitions": dict(run.definitions)}
    return RunResult(
        status=Status.COMPLETE,
        is_fake=False,
        workload=run.model,
        round=run.round,
        command=(),
        asked=BenchmarkConfig(
            workload=run.model,
            sut=UNKNOWN,
            scenarios=tuple(dict.fromkeys(each.scenario for each in run.runs)),
        ),
        used=Used(
            sut=UNKNOWN,
            backend=f"measured by {run.tool} {run.version}".rstrip(),
            precision=UNKNOWN,
            device=UNKNOWN,
            batch=None,
            weights_sha256=None,
            details=details,
        ),
        dataset=DatasetUsed(UNKNOWN, None, samples, samples, False),
        loadgen=LoadgenUsed(run.version if run.tool == LOADGEN else "", run.round, run.seeds),
        system={},
        runs=run.runs,
        files={},
        started_at=run.started_at,
        finished_at=run.started_at,
        assay=assay.__version__,
        notes=(f"imported {now()}: every figure is {run.tool}'s own, by its definitions", *meant, *failed),
    )


def mode_result(
    is_paced: bool,
    done: int,
    seconds: float | None,
    found: list[Figure],
    file: str,
    settings: Mapping[str, object],
) -> ModeResult:
    """Requests at a rate are nearest to Server; a fixed number of streams, or all at once, to Offline.

    seconds: None = the tool does not say. Raises: ValueError for a run that answered nothing, or took no time.
    """
    if done == 0:
        raise ValueError("no request was answered")
    if seconds == 0:
        raise ValueError("duration is 0")
    return ModeResult(
        scenario=Scenario.SERVER if is_paced else Scenario.OFFLINE,
        mode=Mode.PERFORMANCE,
        validity=RunValidity.NOT_JUDGED,
        invalid_because=(),
        samples=done,
        seconds=seconds or 0.0,
        figures=tuple(found),
        scores=(),
        warnings=(),
        folder=file.rpartition("/")[0],
        effective=settings,
    )


def settings_of(record: Mapping[str, Any]) -> dict[str, object]:
    """The plain values among a tool's settings, by its own names; figures are none."""
    return plain_values({name: record.get(name) for name in SETTINGS})


def plain_values(asked: Mapping[Any, Any]) -> dict[str, object]:
    """Numbers and texts; a number that no record can hold, as a rate without bound, is text."""
    plain = {str(name): value for name, value in asked.items() if isinstance(value, (int, float, str))}
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in plain.items()
    }
