"""The files of `--repro`, written by themselves: before a run, after it, and without secrets."""

from __future__ import annotations

import datetime
import json
import platform
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.cm import CM
from assay.recipes.contract.mlc import MLC
from assay.recipes.tools.repro import Repro, host
from tests.recipes.conftest import Kit
from tests.recipes.run.parts import session_of


def load(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture
def folder(kit: Kit) -> Path:
    return Path.cwd()


def test_before_a_run_it_is_written_what_was_asked_and_where(folder: Path) -> None:
    Repro(CM, {"tags": "a", "artifact": "own@repo:x"}, folder).begin()
    asked = load(folder / "cm-repro/cm-run-script-input.json")
    assert asked["tags"] == "a" and asked["parsed_artifact"][0][0] == "x"
    whole = load(folder / "cm-output.json")
    assert whole["input"] == asked and whole["info"] == load(folder / "cm-repro/cm-run-script-info.json")
    assert "output" not in whole and not (folder / "cm-repro/cm-run-script-output.json").exists()


def test_files_of_an_earlier_run_go_and_others_stay(folder: Path) -> None:
    old = Repro(CM, {}, folder)
    for name in (
        "cm-output.json",
        "version_info.json",
        "cm-repro/cm-run-script-output.json",
        "cm-repro/mine.json",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("old")
    old.begin()
    assert not (folder / "version_info.json").exists()
    assert not (folder / "cm-repro/cm-run-script-output.json").exists()
    assert (folder / "cm-repro/mine.json").read_text() == "old"


@pytest.mark.parametrize(("code", "has_badges"), [(0, True), (2, False)])
def test_after_a_run_it_is_written_what_came_of_it(
    code: int, has_badges: bool, kit: Kit, folder: Path
) -> None:
    inputs = {"tags": "a"}
    session = session_of(kit, inputs)
    session.run_state = {"script_id": "a,1", "version_info": ["x"]}
    session.version_info = [{"a": {"version": "1"}}, {"b": {"version": "2"}}]
    repro = Repro(CM, inputs, folder)
    repro.begin()
    (folder / "version_info.json").write_text("[]")  # the flag for it wrote one
    repro.end({"return": code, "new_env": {"CM_A": "1"}}, session)
    whole = load(folder / "cm-output.json")
    assert whole["output"]["return"] == code and whole["state"] == {"script_id": "a,1"}
    assert whole["version_info"] == {"a": {"version": "1"}, "b": {"version": "2"}}
    assert load(folder / "cm-repro/cm-run-script-run-state.json")["version_info"] == ["x"]
    assert (folder / "cm-repro/cm-run-script-README-cm.md").exists() is has_badges
    assert ("acm_ctuning_repro_badge_functional" in whole) is has_badges


@pytest.mark.parametrize(
    ("dialect", "inputs", "start"),
    [
        (CM, {}, "cm-repro/cm-run-script"),
        (MLC, {}, "mlc-repro/mlc-run-script"),
        (MLC, {"repro_dir": "d", "repro_prefix": "p"}, "d/p"),
    ],
)
def test_names_are_those_of_the_tool_or_as_asked(dialect: Any, inputs: Any, start: str, folder: Path) -> None:
    Repro(dialect, inputs, folder).begin()
    assert (folder / f"{start}-input.json").exists() and (folder / f"{dialect.name}-output.json").exists()


def test_no_file_holds_a_secret(kit: Kit, folder: Path) -> None:
    inputs = {"tags": "a", "env": {"CM_API_TOKEN": "hunter2"}, "pat": "hunter2"}
    repro = Repro(CM, inputs, folder)
    repro.begin()
    repro.end({"return": 1, "env": {"CM_API_TOKEN": "hunter2"}}, session_of(kit, inputs))
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert len(texts) >= 4 and not any("hunter2" in text for text in texts)


def test_the_host_and_the_moment_are_told_and_each_run_has_an_id() -> None:
    first, second = host(), host()
    assert (
        first["host_machine"] == platform.machine()
        and first["host_python_version"] == platform.python_version()
    )
    assert first["run_uid"] != second["run_uid"] and len(first["run_uid"]) == 16
    moment = datetime.datetime.fromisoformat(first["run_iso_datetime"])
    assert moment.tzinfo is not None
    assert abs(datetime.datetime.now(datetime.timezone.utc) - moment) < datetime.timedelta(minutes=5)
    assert json.loads(json.dumps([*first.values()]))[:2] == [first["host_os_name"], first["host_system"]]
