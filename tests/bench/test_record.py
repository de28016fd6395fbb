"""The record of a run says how far it came, whatever happens, and is written in one place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay import suts
from assay.bench import record
from assay.doors import config_options
from assay.ground import files
from assay.ground.errors import EnvironmentProblem, Interrupted, RunFailed
from assay.mlperf.record import result
from assay.mlperf.record.result import Status
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import job as jobs
from tests import fakes
from tests.bench import echo_job


def rows(count: int) -> pa.Table:
    return pa.table({"query": np.arange(count, dtype=np.int32)})


def test_while_it_runs_the_record_says_so_and_afterwards_what_became_of_it(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    with record.kept(running):
        assert result.read(running.folder).status is Status.RUNNING
        running.runs.append(fakes.performance())
        record.keep(running)
        kept = result.read(running.folder)
        assert len(kept.runs) == 1 and kept.files == {}, "the files of a run that goes on are not whole"
        made = record.write_record(running, Status.COMPLETE)
    assert result.read(running.folder) == made and made.status is Status.COMPLETE
    assert made.files["README.md"] == files.sha256(RunFolder(running.folder).readme)


@pytest.mark.parametrize(
    ("error", "raised", "status", "reason"),
    [
        (KeyboardInterrupt(), Interrupted, Status.INTERRUPTED, "stopped by the user"),
        (Interrupted("stopped", ""), Interrupted, Status.INTERRUPTED, "stopped by the user"),
        (RunFailed("the SUT died", ""), RunFailed, Status.FAILED, "the SUT died"),
    ],
)
def test_a_run_that_breaks_off_keeps_what_was_finished(
    tmp_path: Path, error: BaseException, raised: type[BaseException], status: Status, reason: str
) -> None:
    running = echo_job.begun(tmp_path / "run")
    with pytest.raises(raised), record.kept(running):
        running.runs.append(fakes.performance())
        raise error
    made = result.read(running.folder)
    assert (made.status, made.reason, len(made.runs)) == (status, reason, 1)


def test_a_process_that_is_gone_leaves_an_interrupted_run(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    record.keep(running)
    made = result.read(running.folder)
    assert (made.status, made.reason) == (Status.INTERRUPTED, "its process was killed")


def test_the_rows_of_a_finished_run_are_there_before_the_record_names_it(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    place = RunFolder(running.folder).requests
    record.keep(running)
    assert not place.exists()
    running.requests.append(rows(3))
    record.keep(running)
    assert pq.read_table(place).num_rows == 3
    stamp = place.stat().st_mtime_ns
    record.keep(running)
    assert place.stat().st_mtime_ns == stamp  # nothing new: not written again
    running.requests.append(rows(2))
    record.write_record(running, Status.COMPLETE)
    assert pq.read_table(place).num_rows == 5


def test_a_disk_that_is_full_does_not_hide_why_the_run_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = echo_job.begun(tmp_path / "run")
    said: list[str] = []
    running.reporter = echo_job.Reporter(said.append, lambda progress: None)

    def full(*_: object) -> None:
        raise EnvironmentProblem("disk full", "")

    with pytest.raises(RunFailed, match="the SUT died"), record.kept(running):
        monkeypatch.setattr(record.readme, "render", full)
        raise RunFailed("the SUT died", "")
    assert said == [f"the record in {running.folder} stays as it was after the last finished run: disk full"]


def test_what_a_reader_must_know_of_any_run_stands_in_the_notes(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    notes = record.standing_notes(running.job, running.data, running.samples)
    assert notes[0] == "a test-style run over 4 samples, by the rules not a submission"
    assert notes[1].startswith("the samples are spread over the subsets")
    assert record.standing_notes(running.job, running.data, running.samples[:1])[0].startswith(
        "a test-style run over 1 sample, by"
    )
    assert running.job.workload.note in notes
    texts = {"sut": "endpoint", "sut_options.url": "http://a:1", "precision": "float16"}
    config = config_options.build(None, texts, {})
    notes = record.standing_notes(jobs.of(config, suts.of(config)), running.data, running.samples)
    assert "precision float16 had no effect: the endpoint SUT has its own" in notes
    assert not any("device" in note for note in notes)  # nobody asked for one
