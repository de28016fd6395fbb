"""One native script of a step: what it is given, what it leaves, and how its failure is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.cm import CM
from assay.recipes.contract.hooks import HookProcessState
from assay.recipes.contract.mlc import MLC
from assay.recipes.errors import RecipeFailed, RecipeNotFound
from assay.recipes.run.native import NativeScripts


@pytest.fixture
def noted() -> list[str]:
    return []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recipe's folder; the working folder is another."""
    work, recipe = tmp_path / "work", tmp_path / "recipe"
    work.mkdir()
    recipe.mkdir()
    monkeypatch.chdir(work)
    return recipe


@pytest.fixture
def scripts(noted: list[str]) -> NativeScripts:
    return NativeScripts(CM, HookProcessState({"PATH": os.environ["PATH"], "FROM_HOST": "h"}), noted.append)


def step(folder: Path, **more: Any) -> dict[str, Any]:
    return {"path": str(folder), "env": {}, "state": {}, **more}


def write(folder: Path, text: str, name: str = "run") -> None:
    (folder / f"{name}.sh").write_text(text)


def test_env_and_state_take_what_the_script_left(folder: Path, scripts: NativeScripts) -> None:
    write(
        folder,
        'echo "CM_GOT=$CM_IN and $FROM_HOST" > tmp-run-env.out\necho \'{"l": [2], "n": 1}\' > tmp-run-state.json\n',
    )
    asked = step(folder, env={"CM_IN": "in"}, state={"l": [1]})
    assert scripts.run(asked) is True
    assert asked["env"]["CM_GOT"] == "in and h"
    assert asked["state"] == {"l": [1, 2], "n": 1}


def test_the_script_runs_in_the_working_folder_and_knows_both(folder: Path, scripts: NativeScripts) -> None:
    write(folder, "pwd > here\n")
    asked = step(folder)
    scripts.run(asked)
    assert Path("here").read_text().strip() == str(Path.cwd())
    assert asked["env"]["CM_TMP_CURRENT_SCRIPT_PATH"] == str(folder)
    assert asked["env"]["CM_TMP_CURRENT_SCRIPT_WORK_PATH"] == str(Path.cwd())


def test_constants_win_and_values_of_other_variables_are_filled_in(
    folder: Path, scripts: NativeScripts
) -> None:
    write(folder, 'echo "CM_SEEN=$CM_A $CM_B" > tmp-run-env.out\n')
    asked = step(folder, env={"CM_A": "own", "CM_B": "<<<CM_A>>>/b"}, const={"CM_A": "const"})
    scripts.run(asked)
    assert asked["env"]["CM_SEEN"] == "const const/b"


@pytest.mark.parametrize(
    ("chosen", "named", "ran"),
    [("", "", "run"), ("", "named", "named"), ("chosen", "named", "chosen"), (" chosen ", "", "chosen")],
)
def test_the_script_is_the_chosen_one_else_the_named_one(
    chosen: str, named: str, ran: str, folder: Path, scripts: NativeScripts
) -> None:
    for name in ("run", "named", "chosen"):
        write(folder, f"echo CM_RAN={name} > tmp-run-env.out\n", name)
    asked = step(folder, script_name=chosen, meta={"script_name": named})
    scripts.run(asked)
    assert asked["env"]["CM_RAN"] == ran


def test_without_a_script_nothing_runs_and_the_state_lies_where_hooks_look(
    folder: Path, scripts: NativeScripts, noted: list[str]
) -> None:
    assert scripts.run(step(folder, state={"a": 1})) is False
    assert '"a": 1' in Path("tmp-state.json").read_text()
    assert noted == []


def test_a_script_that_the_recipe_names_must_be_there(folder: Path, scripts: NativeScripts) -> None:
    with pytest.raises(RecipeNotFound, match=r"absent\.sh not found") as caught:
        scripts.run(step(folder, meta={"script_name": "absent"}))
    assert caught.value.code == 16
    assert scripts.run(step(folder, script_name="absent", meta={"script_name": "absent"})) is False


def test_a_failure_names_script_status_and_recipe(folder: Path, scripts: NativeScripts) -> None:
    write(folder, "echo last words; exit 3\n")
    with pytest.raises(RecipeFailed) as caught:
        scripts.run(step(folder, meta={"alias": "mine"}))
    failure = caught.value
    assert failure.code == 2
    assert failure.message == "Portable CM script failed (name = mine, exit 3)"
    assert failure.step == f"{folder / 'run.sh'}, run in {Path.cwd()}"
    assert b"last words" in failure.output and failure.output.startswith(failure.step.encode())


def test_the_tool_is_named_as_its_dialect(folder: Path) -> None:
    write(folder, "exit 1\n")
    scripts = NativeScripts(MLC, HookProcessState({"PATH": os.environ["PATH"]}), lambda text: None)
    with pytest.raises(RecipeFailed, match="Portable MLC script failed"):
        scripts.run(step(folder))


def test_a_failure_that_may_be_is_none(folder: Path, scripts: NativeScripts) -> None:
    write(folder, "echo CM_GOT=1 > tmp-run-env.out; exit 3\n")
    asked = step(folder, ignore_script_error=True)
    assert scripts.run(asked) is True and asked["env"]["CM_GOT"] == "1"


def test_files_that_explain_a_failure_are_shown(
    folder: Path, scripts: NativeScripts, noted: list[str]
) -> None:
    write(folder, "printf 'one\\ntwo\\n' > log.txt; exit 1\n")
    with pytest.raises(RecipeFailed):
        scripts.run(step(folder, meta={"print_files_if_script_error": ["log.txt", "absent.txt"]}))
    assert noted[-3:] == [f"  content of {Path('log.txt').absolute()}:", "  one", "  two"]


@pytest.mark.parametrize(
    ("debugged", "tags", "keeps"),
    [("a,b", ["a", "b", "c"], True), ("a,z", ["a", "b"], False), ("", ["a"], False)],
)
def test_the_call_of_a_debugged_recipe_is_kept(
    debugged: str, tags: list[str], keeps: bool, folder: Path, scripts: NativeScripts, monkeypatch: Any
) -> None:
    from assay.recipes.contract import shell

    seen: list[bool] = []
    monkeypatch.setattr(
        shell, "run_script", lambda *words, keep: seen.append(keep) or shell.ScriptEnded(0, b"", "")
    )
    write(folder, "")
    scripts.run(step(folder, debug_script_tags=debugged, found_script_tags=tags))
    assert seen == [keeps]
