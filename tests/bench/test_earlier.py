"""What an earlier benchmark left is taken, replaced or left; what is none of ours is never removed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assay.bench import earlier
from assay.config import BenchmarkConfig, EarlierRun, Paths, Style
from assay.ground import files
from assay.ground.errors import ConfigError
from assay.mlperf.record.result import Status
from tests import fakes


def run_in(folder: Path, **changes: Any) -> BenchmarkConfig:
    """A run folder, and the config that asks for the same again."""
    folder.mkdir()
    result = fakes.result(**changes)
    result.write(folder)
    (folder / "Offline").mkdir()
    return dataclasses.replace(result.asked, paths=dataclasses.replace(result.asked.paths, out=folder))


def taken(config: BenchmarkConfig, way: EarlierRun) -> tuple[bool, list[str]]:
    said: list[str] = []
    return earlier.take(config, way, said.append) is not None, said


def test_a_finished_run_is_taken_as_it_is_where_that_is_asked_for(tmp_path: Path) -> None:
    config = run_in(tmp_path / "run")
    is_taken, said = taken(config, EarlierRun.REUSE)
    assert is_taken and len(said) == 1
    assert said[0].endswith("holds a finished run: taken as it is (--rerun runs again)")


@pytest.mark.parametrize(
    ("status", "held", "hint"),
    [
        (
            Status.COMPLETE,
            "it holds a run\n",
            "of `assay bench`: --reuse takes it as it is, --rerun replaces it; --out",
        ),
        (
            Status.FAILED,
            "it holds a run that did not end",
            "`assay bench --resume {}` goes on with it, --rerun",
        ),
        (
            Status.INTERRUPTED,
            "it holds a run that did not end",
            "`assay bench --resume {}` goes on with it, --rerun",
        ),
    ],
)
def test_a_folder_with_a_run_is_refused_with_what_can_be_done_with_it(
    status: Status, held: str, hint: str, tmp_path: Path
) -> None:
    run_in(tmp_path / "run", status=status)
    with pytest.raises(ConfigError, match=held) as told:
        earlier.refuse_taken(tmp_path / "run")
    assert told.value.hint.startswith(hint.format(tmp_path / "run"))
    assert told.value.hint.endswith("; --out a new folder")


@pytest.mark.parametrize(
    ("name", "held"),
    [("load.json", "`assay load`"), ("tune.json", "`assay tune`"), ("a.txt", "it may hold another run")],
)
def test_a_folder_without_a_run_is_refused_by_what_it_holds(name: str, held: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(ConfigError, match=held) as told:
        earlier.refuse_taken(tmp_path)
    assert told.value.hint == "--out a new folder"


def test_what_it_was_run_with_otherwise_is_told_by_the_option(tmp_path: Path) -> None:
    config = dataclasses.replace(run_in(tmp_path / "run"), style=Style.FAST)
    _, said = taken(config, EarlierRun.REUSE)
    assert said[1:] == ["note: it was run with another --style than is asked for now"]
    other = dataclasses.replace(config, workload="mixtral-nano")
    assert "note: it was run with another workload than is asked for now" in taken(other, EarlierRun.REUSE)[1]


@pytest.mark.parametrize("status", [Status.FAILED, Status.INTERRUPTED, Status.RUNNING])
def test_an_unfinished_run_is_replaced(status: Status, tmp_path: Path) -> None:
    config = run_in(tmp_path / "run", status=status)
    assert taken(config, EarlierRun.REUSE) == (False, [])
    assert not (tmp_path / "run").exists()


def test_to_replace_removes_a_finished_run_too(tmp_path: Path) -> None:
    config = run_in(tmp_path / "run")
    assert taken(config, EarlierRun.REPLACE) == (False, [])
    assert not (tmp_path / "run").exists()


def test_to_refuse_leaves_everything_as_it_is(tmp_path: Path) -> None:
    config = run_in(tmp_path / "run")
    assert taken(config, EarlierRun.REFUSE) == (False, [])
    assert (tmp_path / "run").exists()
    assert taken(BenchmarkConfig(paths=Paths()), EarlierRun.REPLACE) == (False, [])


def test_a_folder_that_is_no_run_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="no run folder of Assay"):
        earlier.remove_run(tmp_path / "mine")
    assert (tmp_path / "mine/thesis.tex").exists()
    earlier.remove_run(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    earlier.remove_run(tmp_path / "empty")
    assert (tmp_path / "empty").exists()


def test_a_run_that_goes_on_is_never_removed(tmp_path: Path) -> None:
    config = run_in(tmp_path / "run", status=Status.RUNNING)
    with files.held(tmp_path / "run"):
        for way in (EarlierRun.REPLACE, EarlierRun.REUSE):
            with pytest.raises(ConfigError, match="is in use by"):
                taken(config, way)
    assert earlier.holds_run(tmp_path / "run")


def test_the_working_folder_is_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = run_in(tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    with pytest.raises(ConfigError, match="this command was started in it"):
        taken(config, EarlierRun.REPLACE)
    assert earlier.holds_run(tmp_path / "run")


def test_a_folder_that_is_no_submission_is_never_removed(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    (root / "closed/Me").mkdir(parents=True)
    (root / "README.md").write_text("")
    (root / "photos").mkdir()
    with pytest.raises(ConfigError, match="it holds photos"):
        earlier.remove_tree(root)
    (root / "photos").rmdir()
    earlier.remove_tree(root)
    assert not root.exists()
    earlier.remove_tree(root)
