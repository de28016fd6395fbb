"""The state of a running job: its parts, its samples, and the command that asks for it again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from assay.config import Delivery, Mode
from assay.mlperf.data.dataset import Dataset
from tests.bench import echo_job


def test_a_job_with_one_data_set_is_one_part(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    assert running.parts() == [running] and running.part(Mode.ACCURACY) is running
    assert len(running.samples) == echo_job.SAMPLES


def test_each_mode_with_a_data_set_of_its_own_is_a_part_that_reports_to_the_whole(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    other = Dataset("other", None, running.data.samples[:2])
    whole = dataclasses.replace(running, accuracy_data=other)
    speed, answers = whole.parts()
    assert (speed.job.config.modes, answers.job.config.modes) == ((Mode.PERFORMANCE,), (Mode.ACCURACY,))
    assert speed.data is running.data and answers.data is other
    assert speed.is_part and answers.is_part and not whole.is_part
    answers.notes.append("said by a part")
    assert whole.notes == ["said by a part"] and answers.runs is whole.runs
    assert answers.requests is whole.requests and answers.target_qps is whole.target_qps


def test_the_command_asks_for_the_same_run_at_the_same_place(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run", Delivery(unsafe_no_sandbox=True))
    assert running.command[:3] == ("assay", "bench", "mixtral-nano")
    assert "--unsafe-no-sandbox" in running.command and "--out" not in running.command
    at = running.command.index("--sut")
    assert running.command[at : at + 2] == ("--sut", "echo")


def test_weights_that_are_not_loaded_have_no_identity(tmp_path: Path) -> None:
    running = echo_job.begun(tmp_path / "run")
    assert running.identity is None
    assert running.tokenizer == running.job.checkpoint and running.job.checkpoint is not None
