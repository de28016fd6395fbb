from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.config import Mode, Scenario
from assay.mlperf.record.result import ModeResult, RunValidity
from assay.mlperf.run import target_rate
from tests import fakes
from tests.mlperf.loadgen_job import run_spec

LIMITS = {"ttft_p99": 2000.0, "tpot_p99": 200.0}


def run(reached: float, target: float, **changes: Any) -> ModeResult:
    """An INVALID Offline run of 5 s that was to last 20 s."""
    figures = (fakes.Figure("samples_per_s", reached, "samples/s", 10, "log"), *changes.pop("figures", ()))
    base = {
        "validity": RunValidity.INVALID,
        "seconds": 5.0,
        "effective": {"target_qps": target, "min_duration_ms": 20_000},
    }
    return fakes.performance(**{**base, **changes}, figures=figures)


def server(reached: float, target: float, ttft_ms: float, **changes: Any) -> ModeResult:
    late = fakes.Figure("ttft_p99", ttft_ms, "ms", 10, "log")
    return run(
        reached,
        target,
        **{"scenario": Scenario.SERVER, "figures": (late,), "limits_ms": LIMITS, "seconds": 20.0, **changes},
    )


def test_a_target_leaves_room_on_the_side_where_a_run_would_fail() -> None:
    assert target_rate.below_or_above(Scenario.OFFLINE, 100.0) == 120.0
    assert target_rate.below_or_above(Scenario.SERVER, 100.0) == 70.0


@pytest.mark.parametrize(
    ("made", "better"),
    [
        (run(186.0, 47.0), 223.2),
        (run(186.0, 47.0, validity=RunValidity.VALID), None),
        (run(186.0, 47.0, seconds=21.0), None),  # INVALID for something that no target mends
        (run(186.0, 230.0), None),  # the target was high enough
        (server(100.0, 400.0, 9000.0), 70.0),  # far over what it can do
        (server(100.0, 90.0, 2500.0), 63.0),  # a little late
        (server(100.0, 90.0, 900.0), None),
    ],
)
def test_another_target_is_named_where_it_would_make_the_run_valid(
    made: ModeResult, better: float | None
) -> None:
    assert target_rate.better(made) == better


@pytest.mark.parametrize(
    ("made", "seconds"),
    [
        (server(100.0, 100.0, 9.0, samples=300, effective={"target_qps": 100.0, "min_duration_ms": 3000}), 6),
        (
            server(
                40.0, 200.0, 4710.0, samples=240, effective={"target_qps": 200.0, "min_duration_ms": 1000}
            ),
            19,
        ),
        (server(100.0, 90.0, 2500.0), None),  # 20 s at the lower rate are enough
        (server(100.0, 90.0, 900.0, samples=1800), None),  # INVALID for something else
        (server(100.0, 1.0, 9.0, samples=20, validity=RunValidity.VALID), None),
        (run(186.0, 47.0), None),  # only Server runs are stopped early
    ],
)
def test_a_server_run_is_asked_to_last_until_early_stopping_has_its_queries(
    made: ModeResult, seconds: int | None
) -> None:
    assert target_rate.longer(made) == seconds


def test_an_overloaded_server_run_is_told_once_while_it_runs(tmp_path: Path) -> None:
    queue = target_rate.Queue(run_spec(tmp_path, Scenario.SERVER), places=64)
    assert queue.news(issued=1000, done=100, seconds=10.0) == ""  # the first answers come late at any rate
    assert queue.news(issued=500 + 64 + 190, done=500, seconds=5.0) == ""
    told = queue.news(issued=500 + 64 + 210, done=500, seconds=5.0)
    assert "210 queries wait for their turn, 2.1 s at 100 samples/s" in told
    assert told.endswith("try: --target-qps 70")
    assert queue.news(issued=2000, done=500, seconds=5.0) == ""


@pytest.mark.parametrize(
    ("scenario", "mode", "places"),
    [
        (Scenario.OFFLINE, Mode.PERFORMANCE, 64),  # all at once, by its nature
        (Scenario.SERVER, Mode.ACCURACY, 64),  # nobody judges its latencies
        (Scenario.SERVER, Mode.PERFORMANCE, 0),
    ],
)
def test_nothing_is_said_of_a_queue_that_does_not_count(
    tmp_path: Path, scenario: Scenario, mode: Mode, places: int
) -> None:
    queue = target_rate.Queue(run_spec(tmp_path, scenario, mode), places)
    assert queue.news(issued=5000, done=500, seconds=500.0) == ""
