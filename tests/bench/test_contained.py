"""What a container is given of a job."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.bench import contained, measure, record
from assay.bench.running import RunInProgress
from assay.config import BenchmarkConfig, ContainerRequest, Delivery, Device, Mode, Paths
from assay.ground.errors import Interrupted, RunFailed
from assay.machine.container.run import ContainerEnded, Task
from assay.mlperf.record import result
from assay.mlperf.record.result import ModeResult, Status
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from tests import fakes
from tests.bench import echo_job
from tests.bench.echo_job import FakeSession
from tests.report.rows import table

PATHS = Paths(
    dataset=Path("/d/perf.parquet"),
    accuracy_dataset=Path("/d/acc.parquet"),
    tokenizer=Path("/m"),
    out=Path("/o"),
)
CONFIG = BenchmarkConfig(workload="gpt-oss-120b", sut="echo", round="v6.1", paths=PATHS)


def test_a_container_reads_both_data_sets_and_writes_the_run_folder() -> None:
    task = contained.task(CONFIG)
    assert task.read == (Path("/m"), Path("/d/perf.parquet"), Path("/d/acc.parquet"))
    assert task.write[0] == Path("/o") and len(task.write) == 2
    assert not task.needs_gpu and contained.task(BenchmarkConfig(device=Device.CUDA)).needs_gpu


def test_the_job_crosses_as_the_words_that_ask_for_it() -> None:
    asked = json.loads(contained.serialised(CONFIG))
    assert asked["workload"] == "gpt-oss-120b"
    assert asked["fields"]["paths.accuracy_dataset"] == "/d/acc.parquet"
    assert asked["fields"]["sut"] == "echo" and asked["fields"]["round"] == "v6.1"


ASKED = ContainerRequest(base="image", privileged=True)
Engine = Callable[[ContainerRequest, Task, Path, Callable[[str], None]], ContainerEnded]


def engine(exit_code: int, seen: list[Task]) -> Engine:
    """A container that measures one run, says a word and ends with `exit_code`."""

    def run(asked: ContainerRequest, task: Task, log: Path, show: Callable[[str], None]) -> ContainerEnded:
        seen.append(task)
        asked_inside = json.loads(task.arguments[-1])["fields"]
        folder = Path(asked_inside["paths.out"])
        made = fakes.result(fakes.performance(), fakes.accuracy(), used=echo_job.USED, notes=("a", "b", "c"))
        made = dataclasses.replace(
            made, runs=tuple(dataclasses.replace(each, scores=()) for each in made.runs)
        )
        made.write(folder)
        rows = [table(1, mode=mode.value) for mode in (Mode.PERFORMANCE, Mode.ACCURACY)]
        requests.write(RunFolder(folder).requests, rows)
        log.write_text("loading\nassay: the SUT died\nbye\n")
        return ContainerEnded(exit_code, log, "podman")

    return run


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contained.wheels, "obtain", lambda wheel: Path())
    monkeypatch.setattr(contained.record, "standing_notes", lambda *_: ["a", "b"])


@pytest.mark.usefixtures("no_wheel")
def test_what_was_measured_inside_is_scored_outside_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = echo_job.begun(tmp_path / "run", Delivery(container=ASKED))
    seen: list[Task] = []
    monkeypatch.setattr(contained.container, "run", engine(0, seen))
    monkeypatch.setattr(contained.score_run, "scores", lambda run, spec: (fakes.scored("gsm8k", 70.0),))
    contained.run(running, ASKED)
    assert [run.mode for run in running.runs] == [Mode.PERFORMANCE, Mode.ACCURACY]
    assert [score.metric for score in running.runs[1].scores] == ["gsm8k"]
    assert running.notes == [
        "c",
        "measured in a container of podman (base image, privileged), scored outside of it",
    ]
    assert running.delivery.container is not None and running.delivery.container.engine == "podman"
    assert [table.num_rows for table in running.requests] == [1, 1]
    assert json.loads(seen[0].arguments[-1])["fields"]["paths.out"] == str(running.folder)


@pytest.mark.usefixtures("no_wheel")
def test_a_container_that_failed_leaves_what_it_finished_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = echo_job.begun(tmp_path / "run", Delivery(container=ASKED))
    monkeypatch.setattr(contained.container, "run", engine(2, []))
    with pytest.raises(RunFailed, match="exit code 2: assay: the SUT died"), record.kept(running):
        contained.run(running, ASKED)
    made = result.read(running.folder)
    assert made.status is Status.FAILED and "the SUT died" in made.reason
    assert len(made.runs) == 2 and made.runs[1].scores == ()


def test_inside_the_run_folder_is_measured_into_and_is_not_complete_before_it_is_scored_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    running = echo_job.begun(folder)
    seen: list[measure.ScoreRun] = []
    monkeypatch.setattr(contained.measure, "measure", lambda run, keep, score: seen.append(score))
    contained.inside(contained.serialised(running.job.config), echo_job.silent())
    assert seen == [contained.score_run.no_scores]
    assert result.read(folder).status is Status.INTERRUPTED  # RUNNING, and nobody holds the folder


def finished(folder: Path, *runs: ModeResult) -> RunInProgress:
    """A run whose process was killed after the container had measured `runs`."""
    running = echo_job.begun(folder, Delivery(container=ASKED))
    running.used = echo_job.USED
    for run in runs:
        running.runs.append(run)
        running.requests.append(table(1, mode=run.mode.value))
    record.keep(running)
    return running


def test_inside_what_was_measured_before_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished(tmp_path / "run", fakes.performance(effective={"target_qps": 7.0}))
    session, measured = FakeSession(), measure.measure
    monkeypatch.setattr(measure, "session_of", lambda run: session)
    monkeypatch.setattr(measure, "times_of", lambda run, spec: None)
    monkeypatch.setattr(measure.requests, "table", lambda *_: before.requests[0])
    monkeypatch.setattr(contained.measure, "measure", measured)
    contained.inside(contained.serialised(before.job.config), echo_job.silent())
    assert [spec.mode for spec in session.ran] == [Mode.ACCURACY]
    assert [run.mode for run in result.read(before.folder).runs] == [*Mode]


@pytest.mark.usefixtures("no_wheel")
def test_a_run_that_was_killed_while_it_was_scored_starts_no_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = finished(
        tmp_path / "run", fakes.performance(), dataclasses.replace(fakes.accuracy(), scores=())
    )
    seen: list[Task] = []
    monkeypatch.setattr(contained.container, "run", engine(0, seen))
    monkeypatch.setattr(contained.score_run, "scores", lambda run, spec: (fakes.scored("gsm8k", 70.0),))
    contained.run(running, ASKED)
    assert not seen and [score.metric for score in running.runs[1].scores] == ["gsm8k"]
    assert [run.mode for run in running.runs] == [*Mode] and len(running.requests) == 2
    assert running.notes[-1] == "measured in a container (base image, privileged), scored outside of it"
    contained.run(running, ASKED)
    assert sum(note.startswith("measured in") for note in running.notes) == 1


@pytest.mark.usefixtures("no_wheel")
def test_a_run_that_the_user_stops_keeps_what_the_container_had_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = echo_job.begun(tmp_path / "run", Delivery(container=ASKED))
    measured = engine(0, [])

    def stop(*asked: Any) -> ContainerEnded:
        measured(*asked)
        raise KeyboardInterrupt

    monkeypatch.setattr(contained.container, "run", stop)
    with pytest.raises(Interrupted), record.kept(running):
        contained.run(running, ASKED)
    made = result.read(running.folder)
    assert made.status is Status.INTERRUPTED and len(made.runs) == 2
