"""What a container is given of a job."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from assay.bench import contained, measure, record
from assay.config import BenchmarkConfig, ContainerRequest, Delivery, Device, Mode, Paths
from assay.ground.errors import RunFailed
from assay.machine.container.run import ContainerEnded, Task
from assay.mlperf.record import result
from assay.mlperf.record.result import Status
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from tests import fakes
from tests.bench import echo_job

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
        made.write(folder)
        rows = [
            pa.table({"scenario": ["Offline"], "mode": [mode.value], "query": pa.array([0], pa.int32())})
            for mode in (Mode.PERFORMANCE, Mode.ACCURACY)
        ]
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
    assert len(made.runs) == 2 and made.runs[1].scores == fakes.accuracy().scores


def test_inside_the_run_folder_is_measured_into_and_nothing_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    running = echo_job.begun(folder)
    seen: list[measure.Score] = []
    monkeypatch.setattr(contained.measure, "measure", lambda run, keep, score: seen.append(score))
    contained.inside(contained.serialised(running.job.config), echo_job.silent())
    assert seen == [contained.score_run.no_scores]
    assert result.read(folder).status is Status.COMPLETE
