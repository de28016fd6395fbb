"""What is written wrongly, damaged or full is named in a sentence; nothing of it is a bug of the runner."""

from __future__ import annotations

import errno
import json
import marshal
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from assay.cli import guard
from assay.cli import main as cli
from assay.cli.verbs import CM_VERBS, VERBS
from assay.ground.errors import ConfigError
from assay.recipes.actions.dispatch import COMMON, OWN, SYNONYMS
from assay.recipes.contract.argv import parse
from assay.recipes.contract.shape import misshapen
from assay.recipes.contract.shell import status_words
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import FORM, Index
from assay.recipes.run.request import scope_of
from assay.recipes.tools.lint import lint
from assay.recipes.tools.lock import reproduce

from .conftest import Kit

PARTS = [
    {"deps": 5},
    {"deps": {"a": 1}},
    {"deps": [5]},
    {"deps": [{"tags": "leaf", "env": [1]}]},
    {"env": [1]},
    {"default_env": ["a"]},
    {"new_env_keys": 5},
    {"input_mapping": ["a"]},
    {"input_mapping": {"a": 3}},
    {"versions": 5},
    {"variations": ["a"]},
    {"clean_files": 5},
    {"clean_files": [["a"]]},
    {"new_env_keys": [None]},
    {"default_variation": ["a"]},
    {"variations": {"v": {"group": ["g"]}}},
    {"valid_variation_combinations": [5], "variations": {"a": {}}},
    {"deps": [{"tags": "leaf", "force_env_keys": [{"a": 1}]}]},
    {"print_env_at_the_end": 5},
    {"cache": True, "extra_cache_tags_from_env": [5]},
    {"state": 5},
    {"warnings": 5},
    {"local_env_keys": 5},
    {"env_key_mappings": 5},
    {"clean_files": [1]},
    {"default_variation": 5, "variations": {"v": {}}},
    {"new_env_keys": [1]},
    {"deps": [{"tags": "leaf", "force_env_keys": [1]}]},
    {"deps": [{"tags": "leaf", "update_tags_if_env": {"a": "b"}}]},
    {"deps": [{"tags": "leaf", "update_tags_from_env_with_prefix": {"a": {"b": "c"}}}]},
    {"default_variation": "v", "variations": {"v": {"required_disk_space": "x"}}},
]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_part_of_the_wrong_form_is_named_by_a_run_and_by_lint(kit: Kit, part: dict[str, Any]) -> None:
    kit.recipe("leaf")
    kit.recipe("wrong", **({"deps": [{"tags": "leaf"}]} if "local_env_keys" in part else {}) | part)
    with pytest.raises(RecipeFault, match=r"script/wrong: .* (must be|must hold) .*") as caught:
        kit.run("wrong", "--a=1")
    assert caught.value.code == 4
    index = Index(kit.home)
    problems = lint(index, index.home.one("tests@small"))
    assert [problem.code for problem in problems] == ["FORM"]


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"mounts": 5}, "mounts must be a list, not 5"),
        ({"build_env": ["a"]}, "build_env must be a dictionary"),
        ({"extra_run_args": ["a"]}, "extra_run_args must be text"),
        ({"run_cmd_prefix": "a 'b"}, "run_cmd_prefix is no command line: No closing quotation"),
    ],
    ids=str,
)
def test_a_part_of_a_container_of_the_wrong_form_is_named(
    kit: Kit, part: dict[str, Any], problem: str
) -> None:
    kit.recipe("wrong", docker=part)
    with pytest.raises(RecipeFault, match=problem) as caught:
        kit.perform(["docker", "script", "--tags=wrong", "--docker_dry_run", "--quiet"])
    assert caught.value.code == 4


def test_one_mount_may_stand_without_a_list(kit: Kit) -> None:
    kit.recipe("right", docker={"mounts": "/a:/b"})
    command = kit.perform(["docker", "script", "--tags=right", "--docker_dry_run", "--quiet"])["commands"][-1]
    assert command[command.index("-v") + 1].startswith("/a:")


def test_names_that_are_no_text_reach_a_script_as_text(kit: Kit) -> None:
    folder = kit.recipe("odd", run="cat tmp-state.json > seen\n")
    (folder / "_cm.json").unlink()
    (folder / "_cm.yaml").write_text("alias: odd\ntags: [odd]\nstate: {1: a, b: {2: c, d: 2024-01-01}}\n")
    kit.run("odd")
    state = json.loads(Path("seen").read_text())
    assert state["1"] == "a" and state["b"] == {"2": "c", "d": "2024-01-01"}
    kit.perform(["load", "script", "odd"])


def test_the_form_is_checked_inside_variations_and_versions_too() -> None:
    meta = {
        "variations": {"a": {"deps": 5}, "b": None, "c": 5, "d": {"default_variation": {"not": "read"}}},
        "versions": {"1": {"env": "x"}},
        "tags": "a,b",
    }
    assert list(misshapen(meta)) == [
        "variation _a: deps must be a list, not 5",
        "variation _c must be a dictionary, not 5",
        "version 1: env must be a dictionary, not 'x'",
    ]


def test_an_error_that_the_description_has_not_caused_stays_a_bug(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise TypeError("ours")

    kit.recipe("right", env={"CM_A": "1"})
    monkeypatch.setattr("assay.recipes.run.request.resolve", broken)
    with pytest.raises(TypeError, match="ours"):
        kit.run("right")


def test_tags_that_are_no_list_leave_only_their_own_recipe_out(kit: Kit) -> None:
    (kit.recipe("bad") / "_cm.json").write_text('{"alias": "bad", "tags": 5}')
    kit.recipe("good")
    kit.run("good")
    with pytest.raises(RecipeFault) as caught:
        kit.run("bad")
    assert "tags must be a list, not 5" in caught.value.message


@pytest.mark.parametrize("key", ["env", "state", "const", "ad", "adr", "add_deps_recursive"])
def test_a_plain_value_where_values_with_names_belong_is_refused(kit: Kit, key: str) -> None:
    kit.recipe("plain")
    with pytest.raises(RecipeFault, match=f"--{key}=1 is a plain value") as caught:
        kit.run("plain", f"--{key}=1")
    assert caught.value.hint == f"--{key}.NAME=VALUE"
    with pytest.raises(RecipeFault, match="plain value"):
        scope_of({key: "1"})


DOUBLING = "env:\n  a0: &a0 [x, x]\n" + "".join(
    f"  a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
)
ENDLESS = {
    "env: &e\n  CM_A: *e\n": "contains itself",
    "env:\n  CM_A: &l [1, *l]\n": "contains itself",
    "env: {CM_A: " + "[" * 900 + "]" * 900 + "}\n": "nested more than 100 levels",
    "env: {CM_A: " + "[" * 5000 + "]" * 5000 + "}\n": "does not parse",
    DOUBLING: "values of it",
    "alias: [tool]\n": "alias must be text",
    "uid: {a: 1}\n": "uid must be text",
}


@pytest.mark.parametrize("text", ENDLESS, ids=ENDLESS.values())
def test_a_description_without_an_end_is_left_out_with_its_file_named(kit: Kit, text: str) -> None:
    folder = kit.recipe("wrong")
    (folder / "_cm.json").unlink()
    (folder / "_cm.yaml").write_text("tags: [wrong]\n" + text)
    kit.recipe("good")
    kit.run("good")
    with pytest.raises(RecipeFault) as caught:
        kit.run("wrong")
    assert f"{folder / '_cm.yaml'}" in str(caught.value)
    assert ENDLESS[text] in str(caught.value)


@pytest.mark.parametrize("part", ["env", "default_env", "variations"])
def test_a_name_that_is_no_text_is_shown_with_its_part(kit: Kit, part: str) -> None:
    folder = kit.recipe("wrong")
    (folder / "_cm.json").unlink()
    (folder / "_cm.yaml").write_text(f"alias: wrong\ntags: [wrong]\n{part}: {{1: {{}}, true: {{}}}}\n")
    with pytest.raises(RecipeFault, match=f"script/wrong: {part} must have names as keys, not 1") as caught:
        kit.run("wrong", "--in=1")
    assert caught.value.code == 4


@pytest.mark.parametrize("key", ["prefix", "alias", "uid"])
def test_a_repository_whose_names_are_no_text_is_an_error_that_names_its_file(kit: Kit, key: str) -> None:
    (kit.repository / "cmr.yaml").write_text(f"{key}: [a]\n")
    with pytest.raises(RecipeFault, match=f"cmr.yaml: {key} must be text, not .'a'.") as caught:
        kit.run("any")
    assert caught.value.code == 4


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


@pytest.mark.parametrize("text", ["", " ", "{", '{"a": 1}', "[5]", "5"])
def test_a_list_of_repositories_of_another_form_is_an_error_that_says_what_to_do(kit: Kit, text: str) -> None:
    (kit.home.root / "repos.json").write_text(text)
    with pytest.raises(RecipeFault, match=r"no list of folders|does not parse") as caught:
        kit.perform(["find", "script"])
    assert "pull again" in caught.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 50, marshal.dumps({"/a": 5}), marshal.dumps((FORM + 1, {"/a": 5}))]
)
def test_an_index_that_is_damaged_or_of_another_form_is_made_again(kit: Kit, content: bytes) -> None:
    kit.recipe("one")
    Index(kit.home).artifacts("script")
    (kit.home.work / "index-script.bin").write_bytes(content)
    assert [artifact.alias for artifact in Index(kit.home).find("script")] == ["one"]


@pytest.mark.parametrize("content", ["", "[]", "{", "5", '{"new_env": 5}', '{"new_state": 5}'])
def test_an_entry_with_a_damaged_state_is_passed_over_and_made_again(kit: Kit, content: str) -> None:
    kit.recipe("kept", run="echo CM_KEPT=1 >> tmp-run-env.out\n", cache=True, new_env_keys=["CM_KEPT"])
    kit.run("kept")
    (kit.entries()[0] / "cm-cached-state.json").write_text(content)
    assert kit.run("kept")["new_env"] == {"CM_KEPT": "1"}
    assert any("passed over" in line for line in kit.console.noted)
    assert len(kit.entries()) == 2
    with pytest.raises(RecipeFault, match="1 broken entry"):
        kit.perform(["verify", "cache"])
    assert kit.perform(["prune", "cache"])["deleted"] == 1
    assert len(kit.entries()) == 1


def test_an_entry_that_the_user_made_by_hand_is_neither_broken_nor_pruned(kit: Kit) -> None:
    kit.perform(["add", "cache", "mine", "--tags=mine"])
    kit.perform(["verify", "cache"])
    assert kit.perform(["prune", "cache"])["deleted"] == 0


def test_removing_the_cache_says_what_failed_runs_left(kit: Kit) -> None:
    kit.recipe("bad", run="head -c 2000000 /dev/zero > big\nexit 1\n", cache=True)
    with pytest.raises(RecipeFault):
        kit.run("bad")
    kit.perform(["rm", "cache", "-f"])
    assert any("failed/bad" in line and "2.0 MB" in line for line in kit.console.said)
    assert kit.console.said[-1] == "2.0 MB freed"


def test_nothing_is_freed_where_the_answer_is_no(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.perform(["add", "cache", "mine", "--tags=mine"])
    monkeypatch.setattr("assay.recipes.actions.cache.yes", lambda *_: False)
    kit.perform(["rm", "cache", "--tags=mine"])
    assert kit.console.said[-1] == "nothing removed"


def test_a_recipe_that_needs_itself_is_an_error_that_names_it(kit: Kit) -> None:
    kit.recipe("loop", deps=[{"tags": "loop"}])
    with pytest.raises(RecipeFault, match="loop is more than 64 dependencies deep") as caught:
        kit.run("loop")
    assert "recipe plan" in caught.value.hint


def test_a_failed_script_is_named_with_the_folder_it_ran_in(kit: Kit) -> None:
    folder = kit.recipe("bad", run="exit 3\n")
    with pytest.raises(RecipeFault, match="exit 3") as caught:
        kit.run("bad")
    assert caught.value.step == f"{folder / 'run.sh'}, run in {Path.cwd()}"


def test_a_script_killed_by_a_signal_has_the_status_that_bash_gives(kit: Kit) -> None:
    assert status_words(-9) == status_words(137) == "exit 137: killed by SIGKILL (out of memory?)"
    assert status_words(3) == "exit 3" and status_words(255) == "exit 255"


def test_a_hook_whose_number_is_none_fails_with_1(kit: Kit) -> None:
    kit.recipe("odd", hooks="def preprocess(i):\n    return {'return': 'x'}\n")
    with pytest.raises(RecipeFault, match="returned 'x'") as caught:
        kit.run("odd")
    assert caught.value.code == 1


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


def test_a_folder_that_is_no_clone_is_not_pulled_into(kit: Kit) -> None:
    (kit.home.folder / "some@where").mkdir()
    with pytest.raises(RecipeFault, match="is no clone"):
        kit.perform(["pull", "repo", "some@where"])


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


@pytest.mark.parametrize("action", ["run", "docker", "dockerfile"])
def test_without_a_request_nothing_is_chosen(kit: Kit, action: str) -> None:
    kit.recipe("only", run="touch ran\n")
    with pytest.raises(RecipeFault, match="no recipe was asked for"):
        kit.perform([action, "script", "--quiet"])
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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_disk_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def full(_: list[str]) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(guard, "_dispatch", full)
    assert guard.run(["find"]) == 3
    assert os.strerror(number) in capsys.readouterr().err


def test_a_home_that_cannot_be_written_is_read_all_the_same(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.recipe("one")
    kit.home.repositories()

    def refused(self: Path, *_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    for name in ("mkdir", "write_bytes", "unlink"):
        monkeypatch.setattr(Path, name, refused)
    assert [artifact.alias for artifact in Index(kit.home).find("script")] == ["one"]


def test_a_signal_to_the_runner_alone_ends_what_the_script_started(kit: Kit) -> None:
    kit.recipe("slow", run="echo $$ > pid; sleep 60 & wait\n")
    line = ["run", "script", "--tags=slow", "--user_python"]
    environ = os.environ | {"CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0"}
    process = subprocess.Popen([sys.executable, "-m", "assay", *line], env=environ, stderr=subprocess.DEVNULL)
    pid = Path("pid")
    deadline = time.monotonic() + 20
    while not (pid.exists() and pid.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    below = Path(f"/proc/{int(pid.read_text())}/task/{int(pid.read_text())}/children")
    while not (children := below.read_text().split()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    deadline = time.monotonic() + 30
    while any(map(_lives, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert children and not [child for child in children if _lives(child)]


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    "words",
    [
        ["run", "script", "--tags=say,hello"],
        ["run", "script", "hello"],
        ["docker", "script", "--tags=say,hello"],
        ["find", "script", "hello"],
        ["load", "script", "hello"],
        ["rm", "script", "hello", "-f"],
        ["update", "script", "hello", "--new_tags=a"],
        ["copy", "script", "hello", "other"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_alone", [True, False])
def test_a_recipe_that_cannot_be_read_is_named_where_nothing_is_found(
    kit: Kit, words: list[str], is_alone: bool
) -> None:
    folder = kit.recipe("hello", tags=["say", "hello"])
    (folder / "_cm.json").unlink()
    (folder / "_cm.yaml").write_text("alias: hello\ntags: [say, hello\nenv: {}\n")
    if not is_alone:
        kit.recipe("good")
    with pytest.raises(
        RecipeFault, match=f"^Can't load artifact meta in path {folder}: .*_cm.yaml does not"
    ) as told:
        kit.perform(words)
    assert told.value.code == 4 and told.value.hint.startswith("correct it; `recipe lint tests@small`")
    assert "no repository" not in told.value.hint
    assert is_alone or kit.run("good")["return"] == 0
