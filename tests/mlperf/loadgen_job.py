"""Sessions and run specs for tests that run the real LoadGen; they need its wheel, fetched once per test store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.config import Device, Mode, Precision, Scenario
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf.data.sample import Sample
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.round import Round, Wheel
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run import wheels
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.run.session import Session
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.workloads.workload import Generation

SAMPLES = 30
GENERATION = Generation(min_new_tokens=2, max_new_tokens=8, eos_id=2)


def samples(count: int = SAMPLES) -> list[Sample]:
    """Sample i has the prompt 1, 2, 3, i and the reference answer i+10 … of 3 to 6 ids."""
    return [
        Sample(i, f"train.{i}", "GSM8K", "", (1, 2, 3, i), "1", tuple(range(i + 10, i + 13 + i % 4)), (2,))
        for i in range(count)
    ]


def wheel_of(round_: Round) -> Wheel:
    """The round's wheel, obtained; skips where it cannot be."""
    try:
        wheels.obtain(round_.wheels[0])
    except (ArtifactError, EnvironmentProblem) as error:
        pytest.skip(f"no LoadGen here: {error.message}")
    return round_.wheels[0]


def sut_spec(server: bool = False, **options: str) -> SutSpec:
    return SutSpec("test", None, Device.CPU, Precision.FLOAT32, None, GENERATION, server, options)


def session(
    folder: Path,
    module: str = "assay.suts.echo",
    server: bool = False,
    options: dict[str, str] | None = None,
    round_name: str = "v5.1",
    **settings: Any,
) -> Session:
    return Session(
        sut_module=module,
        spec=sut_spec(server, **(options or {})),
        samples=samples(),
        wheel=wheel_of(rounds.load(round_name)),
        log_dir=folder / "log",
        **settings,
    )


def run_spec(folder: Path, scenario: Scenario, mode: Mode = Mode.PERFORMANCE, **changes: Any) -> RunSpec:
    """A test-style run over all samples, its logs in a folder of its own."""
    place = folder / scenario.value / (changes.get("compliance") or mode.value)
    asked: dict[str, Any] = {
        "scenario": scenario,
        "mode": mode,
        "loadgen_key": "mixtral-nano",
        "samples": SAMPLES,
        "target_qps": 300.0,
        "seeds": rounds.load("v5.1").seeds,
        "out": place / "run_1",
        "user_conf": place / "user.conf",
        "min_query_count": SAMPLES,
        "max_query_count": SAMPLES,
        "latency": Latency(2000.0, 200.0),
    }
    return RunSpec(**{**asked, **changes})
