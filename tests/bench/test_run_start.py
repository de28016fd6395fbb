"""Before anything runs: the folder is new, and config.json in it gives the same Request back."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.bench import earlier, run_start
from assay.config import (
    ContainerRequest,
    Delivery,
    MayFetch,
)
from assay.doors import config_options
from assay.ground import files
from assay.ground.errors import ConfigError
from assay.mlperf.record.run_folder import RunFolder
from tests import fakes
from tests.bench import echo_job

ODD = Delivery(
    submit=True,
    full=False,
    check=True,
    compliance=True,
    gate=True,
    container=ContainerRequest("podman", "image", keep=True),
    unsafe_no_sandbox=True,
    may_fetch=MayFetch(model=False),
    is_tree_beside_run=True,
    default_submitter="MLCommons",
)


def test_config_json_gives_the_same_request(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    running = echo_job.begun(folder, ODD)
    file = config_options.read_file(RunFolder(folder).config)
    assert file.delivery_over(Delivery()) == ODD
    again = config_options.build(None, {"paths.out": str(folder)}, file.settings)
    assert again == running.job.config


def test_the_request_of_a_run_is_read_from_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    asked = echo_job.begun(folder, ODD).job.config
    fakes.result(asked=asked).write(folder)
    assert earlier.request_of(folder).config == asked
    assert earlier.request_of(folder).delivery == ODD
    RunFolder(folder).config.unlink()
    assert earlier.request_of(folder).delivery == Delivery()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ConfigError, match="is not empty"):
        echo_job.begun(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["mine.txt"]


def test_a_folder_without_a_name_is_a_new_one_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = run_start.claim(None), run_start.claim(None)
    assert first != second and first.parent == second.parent == tmp_path / "assay-runs"


def test_a_folder_in_which_another_process_works_is_refused(tmp_path: Path) -> None:
    with (
        files.held(tmp_path),
        pytest.raises(ConfigError, match="is in use by"),
        run_start.held_alone(tmp_path),
    ):
        pass


def test_of_two_that_want_one_empty_folder_one_gets_it(tmp_path: Path) -> None:
    with run_start.claimed(tmp_path / "run"), pytest.raises(ConfigError, match="in use by"):
        echo_job.begun(tmp_path / "run")
    echo_job.begun(tmp_path / "run")
    with pytest.raises(ConfigError, match="is not empty"):
        echo_job.begun(tmp_path / "run")


def test_what_another_process_wrote_between_the_look_and_the_claim_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(out: Path | None) -> Path:
        assert out is not None
        out.mkdir()
        (out / "config.json").write_text("the other's")
        return out

    monkeypatch.setattr(run_start, "claim", late)
    with pytest.raises(ConfigError, match="is not empty"):
        echo_job.begun(tmp_path / "run")
    assert (tmp_path / "run/config.json").read_text() == "the other's"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot use run folder"):
        run_start.claim(tmp_path / "file" / "run")
