"""Every LoadGen run of a job: with which settings, at which rate, and what is made of its word."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from assay.bench import measure
from assay.bench.running import RunInProgress
from assay.config import Division, Mode, Scenario, SubmissionRequest
from assay.ground.errors import RunFailed
from assay.mlperf.record.result import RunValidity
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run.request_times import Recorder, RequestTimes
from tests import fakes
from tests.bench import echo_job
from tests.bench.echo_job import FakeSession

TIMES = RequestTimes(
    np.arange(4, dtype=np.int32), np.arange(4) * 10**9, None, np.arange(1, 5) * 10**9, np.full(4, 5, np.int32)
)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    """In place of the processes; each run leaves the times that its child would."""
    fake = FakeSession()
    monkeypatch.setattr(measure, "session_of", lambda run: fake)
    monkeypatch.setattr(measure, "times_of", lambda run, spec: TIMES)
    monkeypatch.setattr(measure.requests, "table", lambda spec, *_: rows(spec.title))
    return fake


def rows(title: str) -> pa.Table:
    return pa.table({"of": [title], "first_token_ns": pa.nulls(1, pa.int64()), "scheduled_ns": [0]})


def scored(run: RunInProgress, spec: Any) -> measure.Scores:
    return (fakes.scored("gsm8k", 70.0),)


def test_each_mode_is_run_once_and_kept_as_soon_as_it_is_finished(
    tmp_path: Path, session: FakeSession
) -> None:
    running = echo_job.begun(tmp_path / "run")
    kept: list[int] = []
    measure.measure(running, lambda run: kept.append(len(run.runs)), scored)
    assert kept == [0, 1, 2] and session.released_after == [2], (
        "the rows of the last are written while it ends"
    )
    assert [spec.mode for spec in session.ran] == [Mode.PERFORMANCE, Mode.ACCURACY]
    assert [run.validity for run in running.runs] == [RunValidity.VALID] * 2
    assert [len(run.scores) for run in running.runs] == [0, 1]
    assert running.requests == [rows("Offline performance"), rows("Offline accuracy")]
    assert running.used == echo_job.USED
    used, accuracy = (run.energy for run in running.runs)
    assert used is not None and used.seconds == 4.0
    assert (used.joules is None) == bool(used.why_not) and accuracy is None


def test_two_data_sets_are_measured_with_one_loading(tmp_path: Path, session: FakeSession) -> None:
    running = echo_job.begun(tmp_path / "run")
    running.accuracy_data = dataclasses.replace(running.data, samples=running.data.samples[4:8])
    measure.measure(running, lambda run: None, scored)
    assert session.entered == 1 and [spec.mode for spec in session.ran] == [Mode.PERFORMANCE, Mode.ACCURACY]
    assert session.released_after == [2]
    ((spec, samples),) = session.renewed
    assert spec.exact and list(samples) == list(running.accuracy_data.samples)
    measure.measure(running, lambda run: None, scored)
    assert session.entered == 1, "a finished run loads nothing"


def test_loadgen_is_asked_for_the_samples_of_the_job_and_its_files_go_into_the_run_folder(
    tmp_path: Path,
) -> None:
    running = echo_job.begun(tmp_path / "run")
    running.target_qps[Scenario.OFFLINE] = 7.0
    spec, place = measure.run_spec(running, Scenario.OFFLINE, Mode.ACCURACY), RunFolder(running.folder)
    assert (spec.samples, spec.min_query_count, spec.max_query_count, spec.target_qps) == (4, 4, 4, 7.0)
    assert (spec.out, spec.user_conf) == (
        place.logs(Scenario.OFFLINE, Mode.ACCURACY),
        place.user_conf(Scenario.OFFLINE),
    )
    part = dataclasses.replace(running, is_part=True)
    own = measure.run_spec(part, Scenario.OFFLINE, Mode.ACCURACY)
    assert own.user_conf == place.accuracy_user_conf(Scenario.OFFLINE)


@pytest.mark.parametrize(
    ("texts", "target", "probed"),
    [
        ({}, measure.PLACEHOLDER_TARGET_QPS, []),
        ({"limits__target_qps": "3"}, 3.0, []),
        ({"limits__min_duration_s": "5s"}, 120.0, [4]),
    ],
)
def test_the_target_is_as_asked_else_from_a_probe_where_it_matters(
    tmp_path: Path, texts: dict[str, str], target: float, probed: list[int]
) -> None:
    running, session = echo_job.begun(tmp_path / "run", **texts), FakeSession(rate=100.0)
    chosen = measure.choose_target(running, session, Scenario.OFFLINE)  # type: ignore[arg-type]
    assert (chosen, session.probed) == (pytest.approx(target), probed)
    assert len(running.notes) == len(probed)


def test_what_only_the_open_division_allows_is_a_fault_in_the_others(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    assert measure.faults_of(running, Mode.ACCURACY) == ()
    running.used = dataclasses.replace(
        echo_job.USED, faults=("3 answers failed",), losses=("a replica died",), breaches=("a warm cache",)
    )
    assert measure.faults_of(running, Mode.PERFORMANCE) == ("3 answers failed", "a replica died")
    assert measure.faults_of(running, Mode.ACCURACY) == ("3 answers failed",)
    closed = dataclasses.replace(running.job.config, submission=SubmissionRequest(division=Division.CLOSED))
    running.job = dataclasses.replace(running.job, config=closed)
    assert measure.faults_of(running, Mode.ACCURACY) == ("3 answers failed", "a warm cache")


def test_how_late_loadgen_was_told_of_first_tokens_is_a_figure_of_the_run() -> None:
    at = np.arange(1, 101) * 10**6
    times = RequestTimes(np.arange(100), at, at + 2 * at, 4 * at, np.full(100, 5), at)
    assert measure._told_late_ms(times) == {"p50": 102.0, "p99": 200.0, "max": 200.0}
    assert measure._told_late_ms(TIMES) == {}


def test_times_that_are_lost_fail_the_run_and_read_ones_are_removed(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    running.target_qps[Scenario.OFFLINE] = 1.0
    spec = measure.run_spec(running, Scenario.OFFLINE, Mode.ACCURACY)
    with pytest.raises(RunFailed, match="the times of Offline accuracy are lost"):
        measure.times_of(running, spec)
    assert spec.times is not None
    spec.times.parent.mkdir()
    times, ids = Recorder(), np.arange(4, dtype=np.uint64)
    times.issued.add(ids, np.array([2, 0, 1, 3], np.int32))
    times.done.add(ids, np.array([5, 6, 7, 8], np.int32))
    times.save(spec.times)
    assert measure.times_of(running, spec).sample_index.tolist() == [2, 0, 1, 3]
    assert not spec.times.exists()


def test_a_run_that_missed_a_target_nobody_asked_for_is_run_again_and_its_logs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: FakeSession
) -> None:
    running = echo_job.begun(tmp_path / "run", modes="performance")
    place, better = RunFolder(running.folder), iter([138.0, None])
    monkeypatch.setattr(measure.target_rate, "better", lambda made: next(better))
    bad = echo_job.logged(validity="INVALID", invalid_because=("too short",))

    def run(spec: Any) -> Any:
        session.ran.append(spec)
        spec.out.mkdir(parents=True)
        spec.user_conf.write_text("")
        return bad if len(session.ran) == 1 else echo_job.logged()

    monkeypatch.setattr(session, "run", run)
    measure.measure(running, lambda run: None, scored)
    assert [spec.target_qps for spec in session.ran] == [1.0, 138.0] and session.released_after == [2]
    assert [run.validity for run in running.runs] == [RunValidity.VALID]
    assert (place.first_try(Scenario.OFFLINE) / "user.conf").is_file()
    assert running.requests == [rows("Offline performance")]
    assert "was INVALID (too short): run again at 138" in running.notes[0]
