"""Verbs that take a run folder, with what is none: all end alike, and say what it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.cli import main
from assay.ground import files
from assay.mlperf.record.run_folder import RunFolder
from tests import fakes

READ = ["report PLACE", "compare PLACE RUN", "compare RUN PLACE", "answers PLACE", "compliance PLACE"]
READ += ["submit PLACE --submitter X --out TREE", "import PLACE", "bench --resume PLACE"]
WRITE = [
    "bench --sut echo --out PLACE",
    "bench --sut echo --reuse --out PLACE",
    "tune --sut echo --out PLACE",
]
WRITE += ["bench --sut echo --rerun --out PLACE", "load mixtral-nano --url http://127.0.0.1:9 --out PLACE"]


def places(folder: Path) -> dict[str, Path]:
    for name in ("empty", "other"):
        (folder / name).mkdir()
    (folder / "file").write_text("mine")
    (folder / "other" / "tune.json").write_text("{}")
    return {name: folder / name for name in ("missing", "empty", "file", "other")}


def ended(command: str, place: Path) -> int:
    fakes.result().write(place.parent / "run")
    words = {"PLACE": str(place), "RUN": str(place.parent / "run"), "TREE": str(place.parent / "tree")}
    return main([words.get(word, word) for word in command.split()])


@pytest.mark.parametrize("kind", ["missing", "empty", "file", "other"])
@pytest.mark.parametrize("command", READ)
def test_what_holds_no_run_is_a_slip_of_the_command_line(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    if (command, kind) == ("import PLACE", "file"):
        pytest.skip("a file may be a record: it is read, and is damaged")
    place = places(tmp_path)[kind]
    assert ended(command, place) == 2
    assert str(place) in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["file", "other"])
@pytest.mark.parametrize("command", WRITE)
def test_no_run_begins_in_what_holds_something_else(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    if command.startswith("tune") and kind == "other":
        pytest.skip("its own record, which is damaged")
    place = places(tmp_path)[kind]
    assert ended(command, place) == 2
    assert str(place) in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine" and (tmp_path / "other" / "tune.json").is_file()


@pytest.mark.parametrize("command", ["bench --resume PLACE", *WRITE])
def test_a_run_in_work_is_said_to_be_one(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run"
    place.mkdir()
    RunFolder(place).config.write_text("{}")
    with files.held(place):
        assert main([str(place) if word == "PLACE" else word for word in command.split()]) == 2
    told = capsys.readouterr().err
    assert f"{place} is in use by " in told and "wait for its end, or" in told
    assert str(os.getpid()) in told or "a process" in told
