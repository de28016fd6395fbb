"""`assay recipe`: plan, explain, why, lint and reproduce on a small home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay import cli
from assay.cli import recipe
from assay.ground.count import counted
from assay.ground.errors import ConfigError
from tests.cli.words import parsed
from tests.recipes.conftest import Kit


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A home that the command line finds through the environment."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    made = Kit(tmp_path)
    monkeypatch.setenv("CM_REPOS", str(made.home.root))
    return made


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    """(exit code, what was printed) of words."""

    def said(*words: str) -> tuple[int, str]:
        code = recipe.run(parsed(recipe, *words))
        return code, capsys.readouterr().out

    return said


def test_a_plan_names_each_step_and_runs_none(kit: Kit, say: Any) -> None:
    kit.recipe("leaf", run="touch ran\n")
    kit.recipe("root", deps=[{"tags": "leaf", "enable_if_env": {"CM_X": ["yes"]}}])
    code, out = say("plan", "root", "--env.CM_X=yes")
    assert code == 0 and "leaf" in out and "root" in out
    steps = json.loads(say("plan", "--json", "--tags=root")[1])["steps"]
    assert [step["condition"] for step in steps] == ["yes", "no"]
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("words", [["root,_v"], ["--tags=root,_v"], ["root _v"]])
def test_a_bare_word_is_a_list_of_tags(words: list[str], kit: Kit, say: Any) -> None:
    kit.recipe("root", variations={"v": {"env": {"CM_V": "on"}}})
    code, out = say("explain", "--json", *words)
    assert code == 0 and json.loads(out)["env"]["CM_V"]["value"] == "on"


def test_why_says_which_entry_answers(kit: Kit, say: Any) -> None:
    kit.recipe("kept", cache=True)
    assert "no" in say("why", "kept")[1].lower()
    kit.run("kept")
    code, out = say("why", "kept")
    assert code == 0 and str(kit.entries()[0]) in out
    assert kit.entries()[0].name in say("why", "kept", "--json")[1]


@pytest.mark.parametrize("action", ["plan", "explain", "why"])
def test_a_request_without_tags_is_refused_with_an_example(action: str, kit: Kit) -> None:
    with pytest.raises(ConfigError, match="no recipe was asked for") as caught:
        recipe.run(parsed(recipe, action, "--env.CM_X=1"))
    assert "recipe plan get,gcc" in caught.value.hint


@pytest.mark.parametrize(
    "words",
    [
        *((action, "nobody,has,these") for action in ("plan", "explain", "why")),
        ("explain", "a,tool,_tset"),
        ("lint", "nobody@nothing"),
        ("reproduce", "absent.lock"),
    ],
)
def test_what_is_not_there_is_an_error_of_the_command_line(words: tuple[str, ...], kit: Kit) -> None:
    kit.recipe("a-tool", tags=["a", "tool"], variations={"test": {}})
    with pytest.raises(ConfigError) as caught:
        recipe.run(parsed(recipe, *words))
    assert caught.value.hint


@pytest.mark.parametrize("by", ["name", "folder"])
def test_lint_gives_1_where_a_recipe_is_broken_and_may_leave_warnings_out(
    by: str, kit: Kit, say: Any
) -> None:
    kit.recipe("whole")
    repository = "tests@small" if by == "name" else str(kit.repository)
    code, out = say("lint", repository)
    assert code == 0 and out.splitlines()[-1].startswith("1 recipe, 0 errors")
    kit.recipe("broken", variations={"a": {"base": ["absent"]}})
    (kit.recipe("hook") / "customize.py").write_text("def preprocess(i:\n")
    kit.context()
    code, out = say("lint", repository, "--json")
    problems = json.loads(out)["problems"]
    assert code == 1 and json.loads(out)["recipes"] == 3
    errors = [problem for problem in problems if problem["severity"] == "error"]
    code, out = say("lint", repository, "--errors")
    assert code == 1 and len(out.splitlines()) == len(errors) + 1
    assert out.splitlines()[-1] == f"3 recipes, {counted(len(errors), 'error')}, 0 warnings"


def test_a_locked_run_is_the_same_until_a_recipe_changes(kit: Kit, say: Any) -> None:
    folder = kit.recipe("r", env={"CM_A": "1"}, new_env_keys=["CM_A"])
    kit.run("r", "--lock=run.lock")
    assert say("reproduce", "run.lock") == (0, "the run is the same\n")
    meta = json.loads((folder / "_cm.json").read_text())
    (folder / "_cm.json").write_text(json.dumps(meta | {"env": {"CM_A": "2"}}))
    code, out = say("reproduce", "run.lock", "--json")
    assert code == 1 and len(json.loads(out)["differences"]) >= 1


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}"])
def test_what_is_no_lock_file_is_refused(text: str | None, kit: Kit) -> None:
    if text is not None:
        Path("run.lock").write_text(text)
    with pytest.raises(ConfigError):
        recipe.run(parsed(recipe, "reproduce", "run.lock"))


def test_mlc_has_a_home_of_its_own(kit: Kit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLC_REPOS", str(tmp_path / "mlc"))
    kit.recipe("r")
    with pytest.raises(ConfigError):
        recipe.run(parsed(recipe, "explain", "--mlc", "r"))


def test_the_benchmark_s_own_recipe_is_explained_with_what_it_would_measure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CM_REPOS", str(tmp_path))
    tags = "app,mlperf,inference,generic,_mixtral-8x7b,_reference,_offline"
    for more, words in (
        ("", "transformers  (variation _reference)"),
        ("--env.CM_MLPERF_USE_DOCKER=yes", "podman or docker"),
        ("--env.CM_TEST_QUERY_COUNT=many", "nothing would be measured: 'many' is not a count"),
    ):
        assert cli.main(["recipe", "explain", tags, *more.split()]) == 0
        assert words in capsys.readouterr().out
    assert cli.main(["recipe", "explain", "detect,os"]) == 0
    assert "asked:" not in capsys.readouterr().out
