"""A stopped run goes on: what is finished is taken, what differs is refused by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from assay.bench import earlier, measure, pipeline, record, resume
from assay.bench.preparation import Ready
from assay.bench.running import RunInProgress
from assay.config import ContainerRequest, Delivery, Division, EarlierRun, Mode, Request, Scenario
from assay.ground import files
from assay.ground.errors import ConfigError, RunFailed
from assay.ground.hub import Hub
from assay.mlperf.record import result
from assay.mlperf.record.result import Status
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run.journal import JournalWriter
from tests import fakes
from tests.bench import echo_job
from tests.bench.echo_job import FakeSession
from tests.report.rows import table

RESUME = Delivery(earlier_run=EarlierRun.RESUME)


def rows(mode: Mode) -> pa.Table:
    return table(1, mode=mode.value)


def stopped(folder: Path, *runs: Any, **texts: str) -> RunInProgress:
    """A run that was killed after `runs`."""
    running = echo_job.begun(folder, **texts)
    running.used = echo_job.USED
    running.notes.append("said on the way")
    for run in runs:
        running.runs.append(run)
        running.requests.append(rows(run.mode))
    record.keep(running)
    return running


def answered(folder: Path, count: int) -> None:
    writer = JournalWriter(RunFolder(folder).journal(Scenario.OFFLINE))
    writer.add(list(range(count)), {}, [2] * count, np.arange(2 * count, dtype=np.int32))
    writer.close()


def unscored(monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    """Measuring without processes, and without scores."""
    session, measured = FakeSession(), measure.measure
    monkeypatch.setattr(measure, "session_of", lambda run: session)
    monkeypatch.setattr(measure, "times_of", lambda run, spec: None)
    monkeypatch.setattr(measure.requests, "table", lambda spec, times, logged, samples: rows(spec.mode))
    monkeypatch.setattr(measure.run_energy, "used", lambda meter, times: None)
    monkeypatch.setattr(measure, "measure", lambda run, keep: measured(run, keep, lambda run, spec: ()))
    return session


def test_what_is_finished_is_taken_with_its_rows_notes_and_rate(tmp_path: Path) -> None:
    before = stopped(tmp_path / "run", fakes.performance(effective={"target_qps": 7.0}))
    running = resume.begin(echo_job.request(tmp_path / "run", RESUME), echo_job.silent())
    assert [run.mode for run in running.runs] == [Mode.PERFORMANCE]
    assert [table.to_pylist() for table in running.requests] == [rows(Mode.PERFORMANCE).to_pylist()]
    assert running.requests_kept == 1
    assert running.notes == ["said on the way"] and running.target_qps == {Scenario.OFFLINE: 7.0}
    assert running.started_at == before.started_at and running.resumed_from == echo_job.USED
    assert not running.is_finished


def test_an_unfinished_performance_run_starts_over_and_answers_are_kept(tmp_path: Path) -> None:
    stopped(tmp_path / "run")
    place = RunFolder(tmp_path / "run")
    left = place.logs(Scenario.OFFLINE, Mode.PERFORMANCE) / "mlperf_log_detail.txt"
    left.parent.mkdir(parents=True)
    left.touch()
    place.first_try(Scenario.OFFLINE).mkdir()
    answered(place.path, 3)
    said: list[str] = []
    reporter = dataclasses.replace(echo_job.silent(), say=said.append)
    resume.begin(echo_job.request(place.path, RESUME), reporter)
    assert not left.exists() and not place.first_try(Scenario.OFFLINE).exists()
    assert said == ["Offline accuracy: 3 answers are kept"]


def test_leavings_of_a_finished_run_are_removed(tmp_path: Path) -> None:
    stopped(tmp_path / "run", fakes.performance(), fakes.accuracy())
    answered(tmp_path / "run", 4)
    running = resume.begin(echo_job.request(tmp_path / "run", RESUME), echo_job.silent())
    assert running.is_finished
    assert not RunFolder(tmp_path / "run").journal(Scenario.OFFLINE).exists()


def test_a_process_that_ended_before_its_first_record_is_begun_again(tmp_path: Path) -> None:
    echo_job.begun(tmp_path / "run")
    running = resume.begin(echo_job.request(tmp_path / "run", RESUME), echo_job.silent())
    assert (running.runs, running.resumed_from) == ([], None)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"limits__samples": "3"}, "another --samples than"),
        ({"style": "fast"}, "another --style than"),
        ({"sut_options__pace": "3"}, "another --pace than"),
        ({"scenarios": "server"}, "another --scenario than"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path: Path, texts: dict[str, str], words: str) -> None:
    stopped(tmp_path / "run")
    with pytest.raises(ConfigError, match=words):
        resume.begin(echo_job.request(tmp_path / "run", RESUME, **texts), echo_job.silent())


def test_another_data_set_is_refused_by_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stopped(tmp_path / "run")
    other = dataclasses.replace(before.data, sha256="beef" * 16)
    monkeypatch.setattr(resume.preparation, "ready", lambda config: Ready(before.job, other))
    with pytest.raises(ConfigError, match=r"dataset is not the one that the run began with: .*beef"):
        resume.begin(echo_job.request(tmp_path / "run", RESUME), echo_job.silent())


@pytest.mark.parametrize("name", ["backend", "precision", "device", "weights_sha256"])
def test_another_system_is_refused_when_it_is_loaded(tmp_path: Path, name: str) -> None:
    now = dataclasses.replace(echo_job.USED, **{name: "another"})
    with pytest.raises(ConfigError, match=f"began with another {name}"):
        measure.refuse_other_system(echo_job.USED, now)
    measure.refuse_other_system(None, now)
    measure.refuse_other_system(now, now)


def test_a_folder_without_a_run_and_one_in_use_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds no run to go on with"):
        resume.begin(echo_job.request(tmp_path / "empty", RESUME), echo_job.silent())
    stopped(tmp_path / "run")
    with files.held(tmp_path / "run"), pytest.raises(ConfigError, match="is in use by"):
        resume.begin(echo_job.request(tmp_path / "run", RESUME), echo_job.silent())


def test_what_another_process_went_on_with_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resume takes seconds to prepare; a second one that looked before the first began must clear nothing."""
    place = RunFolder(stopped(tmp_path / "run").folder)
    log = place.logs(Scenario.OFFLINE, Mode.PERFORMANCE) / "mlperf_log_detail.txt"
    log.parent.mkdir(parents=True)
    log.write_text("of the first")
    monkeypatch.setattr(earlier, "require_resumable", lambda folder: None)  # it looked before
    with files.held(place.path), pytest.raises(ConfigError, match="is in use by"):
        resume.begin(echo_job.request(place.path, RESUME), echo_job.silent())
    assert log.read_text() == "of the first"
    resume.begin(echo_job.request(place.path, RESUME), echo_job.silent())
    assert not log.exists()


def test_a_run_in_a_container_goes_on_in_one(tmp_path: Path) -> None:
    stopped(tmp_path / "run", fakes.performance())
    inside = dataclasses.replace(RESUME, container=ContainerRequest())
    running = resume.begin(echo_job.request(tmp_path / "run", inside), echo_job.silent())
    assert running.delivery.container == ContainerRequest()
    assert [run.mode for run in running.runs] == [Mode.PERFORMANCE]


@pytest.mark.parametrize("division", ["closed", "network"])
def test_kept_answers_that_are_to_be_submitted_elsewhere_than_to_open_are_refused_before_anything_runs(
    tmp_path: Path, division: str
) -> None:
    stopped(tmp_path / "run", submission__division=division)
    submits = dataclasses.replace(RESUME, submit=True)
    request = echo_job.request(tmp_path / "run", submits, submission__division=division)
    assert request.config.submission.division is Division(division)
    resume.begin(request, echo_job.silent())  # nothing is kept: it may go on
    answered(tmp_path / "run", 3)
    with pytest.raises(ConfigError, match=f"the {division} division takes .*3 answers of Offline"):
        resume.begin(request, echo_job.silent())
    resume.begin(echo_job.request(tmp_path / "run", RESUME, submission__division=division), echo_job.silent())


def test_a_finished_run_is_taken_and_never_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = stopped(tmp_path / "run", fakes.performance(), fakes.accuracy())
    made = record.write_record(running, Status.COMPLETE)
    request = echo_job.request(tmp_path / "run", RESUME)
    finished = pipeline.run(request, Hub(), echo_job.silent())
    assert finished.result == made
    other = echo_job.request(tmp_path / "run", RESUME, limits__samples="2")
    with pytest.raises(ConfigError, match="another --samples"):
        earlier.take(other.config, EarlierRun.RESUME, lambda text: None)


def test_only_what_is_missing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = unscored(monkeypatch)
    stopped(tmp_path / "run", fakes.performance(effective={"target_qps": 7.0}))
    request = echo_job.request(tmp_path / "run", RESUME)
    made = pipeline.run(request, Hub(), echo_job.silent()).result
    assert [(spec.mode, spec.target_qps) for spec in session.ran] == [(Mode.ACCURACY, 7.0)]
    assert made.status is Status.COMPLETE and [run.mode for run in made.runs] == [*Mode]


def test_a_run_of_several_pieces_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, joined = unscored(monkeypatch), list[int]()
    monkeypatch.setattr(measure.requests, "kept_rows", lambda spec, answers, samples: rows(spec.mode))
    monkeypatch.setattr(measure.pieces, "join", lambda piece, kept: joined.extend(kept))
    stopped(tmp_path / "run", modes="accuracy")
    answered(tmp_path / "run", 3)
    request = Request(echo_job.request(tmp_path / "run", modes="accuracy").config, RESUME)
    made = pipeline.run(request, Hub(), echo_job.silent()).result
    assert [spec.asks for spec in session.ran] == [(3,)] and joined == [0, 1, 2]
    assert (made.runs[0].kept_answers, made.runs[0].samples) == (3, 4)
    assert any("3 of 4 answers are of a process that was stopped" in note for note in made.notes)
    assert not RunFolder(tmp_path / "run").journal(Scenario.OFFLINE).exists()


def test_a_failure_of_what_goes_on_keeps_what_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RunFailed("the SUT died", "")

    monkeypatch.setattr(pipeline.measure, "measure", fail)
    stopped(tmp_path / "run", fakes.performance())
    with pytest.raises(RunFailed, match="the SUT died"):
        pipeline.run(echo_job.request(tmp_path / "run", RESUME), Hub(), echo_job.silent())
    made = result.read(tmp_path / "run")
    assert made.status is Status.FAILED and len(made.runs) == 1
