"""Made-up values that several tests share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from assay.config import BenchmarkConfig, Mode, Paths, Precision, Scenario
from assay.mlperf.record.result import (
    DatasetUsed,
    Figure,
    LoadgenUsed,
    ModeResult,
    RunResult,
    RunValidity,
    ScoredMetric,
    Status,
    SystemField,
)
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.sut.interface import Used


def scored(metric: str = "rouge1", value: float | None = 46.0, **changes: Any) -> ScoredMetric:
    base = ScoredMetric(
        metric=metric,
        value=value,
        unit="%",
        n=10,
        interval=(40.0, 52.0) if value is not None else None,
        low=45.142911,
        high=None,
        reference=45.5989,
        met=None if value is None else value >= 45.142911,
        ungraded=0,
        reason="",
        source="round v5.1",
        file="Offline/accuracy/mlperf_log_accuracy.json",
    )
    return dataclasses.replace(base, **changes)


def performance(**changes: Any) -> ModeResult:
    log = "Offline/performance/run_1/mlperf_log_detail.txt"
    base = ModeResult(
        scenario=Scenario.OFFLINE,
        mode=Mode.PERFORMANCE,
        validity=RunValidity.VALID,
        invalid_because=(),
        samples=10,
        seconds=20.0,
        figures=(
            Figure("samples_per_s", 0.5, "samples/s", 10, log),
            Figure("tokens_per_s", 72.5, "tokens/s", 10, log),
        ),
        scores=(),
        warnings=(),
        folder="Offline/performance/run_1",
        effective={"target_qps": 1.0},
    )
    return dataclasses.replace(base, **changes)


def accuracy(*scores: ScoredMetric, **changes: Any) -> ModeResult:
    base = performance(
        mode=Mode.ACCURACY,
        validity=RunValidity.NOT_JUDGED,
        figures=(),
        scores=scores or (scored(),),
        folder="Offline/accuracy",
    )
    return dataclasses.replace(base, **changes)


def result(*runs: ModeResult, **changes: Any) -> RunResult:
    base = RunResult(
        status=Status.COMPLETE,
        is_fake=False,
        workload="mixtral-8x7b",
        round="v5.1",
        command=("assay", "bench", "mixtral-8x7b", "--checkpoint", "/models/a b"),
        asked=BenchmarkConfig(
            "mixtral-8x7b", precision=Precision.FLOAT16, paths=Paths(checkpoint=Path("/models/a b"))
        ),
        used=Used("transformers", "transformers 5 + torch 2.13", "float32", "cpu", 1, None),
        dataset=DatasetUsed("d.parquet", "0" * 64, rows=15_000, samples=10, is_whole_set=False),
        loadgen=LoadgenUsed("5.1.2", "v5.1", Seeds(1, 2, 3)),
        system={"operating_system": SystemField("Debian 12", "/etc/os-release")},
        runs=runs or (performance(), accuracy()),
        files={},
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:01:00+00:00",
        assay="0.1.0",
    )
    return dataclasses.replace(base, **changes)
