"""Requests that cannot be meant, on the command line and in files: refused in a sentence, before anything runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assay.cli import main as cli
from assay.cli.verbs import CM_VERBS, VERBS
from assay.ground.errors import ConfigError
from assay.recipes.actions.dispatch import COMMON, OWN, SYNONYMS
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFault
from assay.recipes.run.request import scope_of
from assay.recipes.tools.lock import reproduce

from .conftest import Kit


@pytest.mark.parametrize("key", ["env", "state", "const", "ad", "adr", "add_deps_recursive"])
def test_a_plain_value_where_values_with_names_belong_is_refused(kit: Kit, key: str) -> None:
    kit.recipe("plain")
    with pytest.raises(RecipeFault, match=f"--{key}=1 is a plain value") as caught:
        kit.run("plain", f"--{key}=1")
    assert caught.value.hint == f"--{key}.NAME=VALUE"
    with pytest.raises(RecipeFault, match="plain value"):
        scope_of({key: "1"})


def test_an_input_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(RecipeFault, match="no text in UTF-8") as caught:
        parse(["run", "script", f"@{tmp_path}/in.json"])
    assert caught.value.code == 4


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ('{"tags": [["a"]]}', "tags must be text or a list of texts, not ..'a'.."),
        ('{"tags": {"a": 1}}', "tags must be text"),
        ('{"new_tags": [{"a": 1}]}', "new_tags must be text"),
        ('{"artifacts": 5}', "artifacts must be a list, not 5"),
        ('{"meta": true}', "meta must be a dictionary, not True"),
    ],
)
def test_an_input_of_another_form_is_named_with_its_file(tmp_path: Path, given: str, problem: str) -> None:
    (tmp_path / "in.json").write_text(given)
    with pytest.raises(RecipeFault, match=f"in.json: {problem}") as caught:
        parse(["run", "script", f"@{tmp_path}/in.json"])
    assert caught.value.code == 4


def test_numbers_among_the_tags_of_an_input_file_are_tags(kit: Kit) -> None:
    kit.recipe("good", tags=["good", "2024"])
    Path("in.yaml").write_text("tags: [good, 2024]\n1: x\n")
    assert kit.perform(["run", "script", "--user_python", "@in.yaml"])["return"] == 0
    assert len(kit.perform(["find", "script", "@in.yaml"])["list"]) == 1


@pytest.mark.parametrize("content", ["[1]", "{}", '{"format": 1}', "x", None])
def test_a_file_that_is_no_lock_is_refused(kit: Kit, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "lock.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        reproduce(kit.context(), file)
    assert "--lock=FILE" in caught.value.hint


def test_a_file_flag_without_a_file_is_refused_before_anything_runs(kit: Kit) -> None:
    kit.recipe("plain", run="touch ran\n")
    with pytest.raises(RecipeFault, match="--lock names no file"):
        kit.run("plain", "--lock")
    assert not Path("ran").exists()


def test_every_action_is_a_verb_of_its_own(kit: Kit) -> None:
    names = {*COMMON, *SYNONYMS, *(name for own in OWN.values() for name in own)} | {"import"}
    names -= {"import_"}
    spellings = names | {name.replace("_", "-") for name in names}
    assert spellings <= CM_VERBS
    # What is named decides whose verb it is: an automation is CM's (`cli/guard.is_ours`).
    assert CM_VERBS & VERBS.keys() == {"import", "list", "load"}


def test_suggestions_are_actions_that_the_automation_has(kit: Kit) -> None:
    with pytest.raises(RecipeFault) as caught:
        kit.perform(["docker", "cache"])
    assert "docker" not in caught.value.hint
    with pytest.raises(RecipeFault) as caught:
        kit.perform(["find", "nothing"])
    assert caught.value.hint.count("script") == 1


@pytest.mark.parametrize(
    "line", ["rm cache", "rm repo", "pull repo", "reindex repo", "prune cache", "delete script"]
)
def test_asking_for_help_does_nothing_but_help(kit: Kit, line: str) -> None:
    kit.recipe("kept", cache=True)
    kit.run("kept")
    kit.perform([*line.split(), "--help", "-f"])
    verb, automation = line.replace("delete", "rm").split()
    assert kit.console.said[-1].startswith(f"{verb} {automation}")
    assert len(kit.entries()) == 1
    kit.perform([verb, "--help"])
    assert verb in kit.console.said[-1]


def test_help_for_a_run_lists_its_flags_and_with_a_request_the_recipe(kit: Kit) -> None:
    kit.recipe("r", run="touch ran\n", variations={"v": {}})
    kit.perform(["run", "script", "-h"])
    assert "--print_deps" in kit.console.said[-1]
    kit.run("r", "--help")
    assert any("_v" in line for line in kit.console.said)
    assert not Path("ran").exists()


@pytest.mark.parametrize("words", [[], ["--tags="], ["--tags=,,"], ["--tags= , "], [","]], ids=str)
@pytest.mark.parametrize("action", ["run", "docker", "dockerfile"])
def test_without_a_request_nothing_is_chosen(kit: Kit, action: str, words: list[str]) -> None:
    kit.recipe("only", run="touch ran\n")
    with pytest.raises(RecipeFault, match="no recipe was asked for"):
        kit.perform([action, "script", "--quiet", *words])
    assert not Path("ran").exists()


def on_command_line(kit: Kit, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setenv("CM_REPOS", str(kit.home.root))
    monkeypatch.setenv("ASSAY_BUILTIN", "0")
    return cli(list(words))


@pytest.mark.parametrize("action", ["plan", "explain", "why"])
def test_recipe_verbs_take_the_flags_of_a_run(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    kit.recipe("r", cache=True, variations={"v": {"env": {"CM_V": "1"}}})
    assert on_command_line(kit, monkeypatch, "recipe", action, "--tags=r,_v", "--env.CM_X=2", "--json") == 0
    assert '"r' in capsys.readouterr().out
    assert on_command_line(kit, monkeypatch, "recipe", action) == 2
    assert "no recipe was asked for" in capsys.readouterr().err


def test_recipe_lint_still_refuses_flags_that_it_has_not(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        code: object = on_command_line(kit, monkeypatch, "recipe", "lint", "tests@small", "--tags=x")
    except SystemExit as leaving:
        code = leaving.code
    assert code == 2


def test_a_question_does_not_spoil_the_json_of_the_answer(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kit.recipe("gone")
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: PTH123, SIM115
    assert on_command_line(kit, monkeypatch, "rm", "script", "gone", "--out=json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["return"] == 1 and answer["error"] == "nobody is here to answer: it was not removed"
