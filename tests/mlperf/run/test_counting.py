"""What the parent makes of the LoadGen child's counts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from assay.config import Mode, Scenario
from assay.ground.errors import RunFailed
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run import counting
from assay.mlperf.run.counting import Counting, figures_so_far
from assay.mlperf.run.live import LatencySoFar
from assay.mlperf.run.loadgen_job import Count
from assay.mlperf.sut.progress import Progress, Watchdog
from tests.mlperf.loadgen_job import run_spec

LIMITS = Latency(2000.0, 200.0)


def spec(
    tmp_path: Path, scenario: Scenario = Scenario.SERVER, mode: Mode = Mode.PERFORMANCE, **changes: object
):  # type: ignore[no-untyped-def]
    made = run_spec(tmp_path, scenario, mode)
    return dataclasses.replace(made, latency=LIMITS, min_duration_ms=600_000, **changes)  # type: ignore[arg-type]


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 50.0
        monkeypatch.setattr(counting.time, "monotonic", lambda: self.now)


def test_a_server_run_is_held_against_its_limits(tmp_path: Path) -> None:
    late = figures_so_far(spec(tmp_path), Count(120, 90, 4500, LatencySoFar(2310.0, 41.0)), 30.0)
    assert (late.tokens_per_s, late.in_flight, late.least_seconds) == (150.0, 30, 600.0)
    assert (late.ttft_limit_ms, late.tpot_limit_ms, late.is_judged) == (2000.0, 200.0, True)
    assert late.exceeded == ("TTFT",)
    in_time = figures_so_far(spec(tmp_path), Count(1, 1, 5, LatencySoFar(1999.0, 200.0)), 1.0)
    assert in_time.exceeded == ()


def test_an_accuracy_run_has_no_limits_and_no_minimum(tmp_path: Path) -> None:
    figures = figures_so_far(spec(tmp_path, mode=Mode.ACCURACY), Count(9, 9, 1, LatencySoFar(9e9, 9e9)), 2.0)
    assert (figures.is_judged, figures.exceeded, figures.least_seconds) == (False, (), 0.0)
    assert figures.ttft_p99_ms == 9e9


def test_an_offline_run_has_no_latency_limits(tmp_path: Path) -> None:
    figures = figures_so_far(spec(tmp_path, Scenario.OFFLINE), Count(9, 0), 0.0)
    assert (figures.ttft_limit_ms, figures.tokens_per_s, figures.in_flight) == (None, None, 9)


def test_a_compliance_run_is_not_judged_by_loadgen(tmp_path: Path) -> None:
    assert not figures_so_far(spec(tmp_path, compliance="TEST06"), Count(1, 1), 1.0).is_judged


def test_counts_become_progress_with_pace_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, told = Clock(monkeypatch), []  # type: tuple[Clock, list[Progress]]
    made = dataclasses.replace(run_spec(tmp_path, Scenario.OFFLINE, Mode.ACCURACY), samples=100)
    count = Counting(made, 0, told.append, Watchdog(None))
    clock.now += 10
    count.saw(Count(100, 40, 80))
    assert (told[0].phase, told[0].done, told[0].total) == ("Offline accuracy", 40, 100)
    assert (told[0].samples_per_s, told[0].eta_s) == (4.0, 15.0)
    clock.now += 10
    count.tell()
    assert (told[1].done, told[1].samples_per_s, told[1].live.tokens_per_s) == (40, 2.0, 4.0)  # type: ignore[union-attr]


def test_before_the_first_answer_there_is_no_pace(tmp_path: Path) -> None:
    told: list[Progress] = []
    Counting(spec(tmp_path), 0, told.append, Watchdog(None)).saw(Count(5, 0))
    assert (told[0].samples_per_s, told[0].eta_s) == (None, None)


def test_a_silence_beyond_the_limit_ends_the_run(tmp_path: Path) -> None:
    ticks = iter([0.0, 0.0, 0.0, 61.0, 61.0, 61.0])
    count = Counting(spec(tmp_path), 0, lambda _: None, Watchdog(60.0, lambda: next(ticks)))
    count.saw(Count(7, 4))
    with pytest.raises(RunFailed, match="3 queries were not answered"):
        count.refuse_silence(tmp_path / "log")
