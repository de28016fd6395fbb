"""Made-up values that several tests share."""

from __future__ import annotations

import dataclasses
from typing import Any

from assay.mlperf.result import COMPLETE, Figure, ModeResult, RunResult, ScoredMetric


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
        scenario="Offline",
        mode="performance",
        validity="VALID",
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
        effective={"effective_target_qps": 1.0},
    )
    return dataclasses.replace(base, **changes)


def accuracy(*scores: ScoredMetric, **changes: Any) -> ModeResult:
    base = performance(
        mode="accuracy", validity="", figures=(), scores=scores or (scored(),), folder="Offline/accuracy"
    )
    return dataclasses.replace(base, **changes)


def result(*runs: ModeResult, **changes: Any) -> RunResult:
    base = RunResult(
        status=COMPLETE,
        is_fake=False,
        workload="mixtral-8x7b",
        round="v5.1",
        command=("assay", "bench", "mixtral-8x7b", "--checkpoint", "/models/a b"),
        asked={"precision": "float16"},
        used={
            "sut": "transformers",
            "precision": "float32",
            "device": "cpu",
            "batch": 1,
            "backend": "transformers 5 + torch 2.13",
        },
        dataset={
            "samples": 10,
            "rows": 15000,
            "sha256": "0" * 64,
            "path": "d.parquet",
            "is_whole_set": False,
        },
        loadgen={"version": "5.1.2", "round": "v5.1"},
        system={"operating_system": {"value": "Debian 12", "source": "/etc/os-release"}},
        runs=runs or (performance(), accuracy()),
        files={},
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:01:00+00:00",
        assay="0.1.0",
    )
    return dataclasses.replace(base, **changes)
