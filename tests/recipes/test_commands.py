"""Commands that the original tools have: answered, or refused by name with what to do instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.recipes.actions.dispatch import access_for
from assay.recipes.errors import RecipeFault

from .conftest import Kit
from .test_home import git, has_git, upstream  # noqa: F401


@pytest.fixture
def found(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A home that the command line finds, with one recipe."""
    monkeypatch.setenv("CM_REPOS", str(kit.home.root))
    monkeypatch.setenv("ASSAY_BUILTIN", "0")
    kit.recipe(
        "first-one",
        run="echo ran >> ran\n",
        variations={"v": {"group": "g"}},
        input_mapping={"size": "CM_SIZE"},
    )
    return kit


def test_the_installation_can_be_tested(found: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cm", "test", "core"]) == 0
    assert "works: 1 recipe in 2 repositories" in capsys.readouterr().out


def test_a_uid_is_made(found: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cm", "uid"]) == 0
    assert len(capsys.readouterr().out.strip()) == 16


def test_init_pulls_what_is_named(kit: Kit, upstream: Path) -> None:  # noqa: F811
    kit.perform(["init", f"--url={upstream}"])
    assert (kit.home.folder / "owner@name" / "new").exists()
    with pytest.raises(RecipeFault, match=r"(?s)git clone failed.*try: is the address right"):
        kit.perform(["init", f"--url={upstream / 'absent'}"])


@pytest.mark.usefixtures("has_git")
def test_init_without_the_default_repository_says_so_and_makes_the_home(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    (tmp_path / "config").write_text(f'[url "{tmp_path}/absent/"]\n  insteadOf = https://github.com/\n')
    assert kit.perform(["init", "--quiet"])["return"] == 0
    assert "mlcommons@cm4mlops was not pulled" in kit.console.noted[-1]
    assert kit.home.local.exists()


@pytest.mark.parametrize("words", [["show", "script", "first-one"], ["mlc", "show", "script", "first-one"]])
def test_a_recipe_is_shown_with_tags_variations_and_inputs(
    found: Kit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    if words[0] == "mlc":
        monkeypatch.setenv("MLC_REPOS", str(found.home.folder))
        folder = found.repository / "script" / "first-one"
        (found.repository / "meta.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\n")
        (folder / "meta.json").write_text((folder / "_cm.json").read_text())
        (found.home.folder / "repos.json").write_text(json.dumps([str(found.repository)]))
    assert main(words) == 0
    shown = capsys.readouterr().out
    for text in ("first-one  (", "tags: first,one", "_v  group g", "--size  CM_SIZE"):
        assert text in shown


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("copy_to_remote cache", "rsync"),
        ("xset cfg", "update cfg"),
        ("native_run script", "hooks of recipes"),
        ("json2yaml utils", "hooks of recipes"),
        ("find challenge", "find script"),
        ("convert_ck_to_cm repo", "CK"),
        ("gui", "--help"),
    ],
)
def test_what_is_not_here_is_said_to_be_part_of_the_tool(kit: Kit, words: str, hint: str) -> None:
    with pytest.raises(RecipeFault, match="is not part of this runner") as caught:
        kit.perform(words.split())
    assert hint in caught.value.hint


def test_lists_are_printed_as_json(found: Kit, upstream: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    found.recipe("kept", cache=True, run="true\n")
    found.run("kept")
    assert main(["pull", "repo", f"--url={upstream}"]) == 0
    capsys.readouterr()
    listed = {}
    for words in (
        ["find", "cache", "--out=json"],
        ["show", "cache", "--out=json"],
        ["show", "repo", "--json"],
    ):
        assert main(words) == 0
        listed[words[0] + words[1]] = json.loads(capsys.readouterr().out)["list"]
    [entry] = found.entries()
    for name in ("findcache", "showcache"):
        [row] = listed[name]
        assert row["path"] == str(entry)
        assert "kept" in row["tags"]
    [pulled] = [row for row in listed["showrepo"] if row["git"]]
    assert (pulled["name"], pulled["alias"]) == ("owner@name", "owner@other")
    assert pulled["git"]["commit"] == git(upstream, "rev-parse", "HEAD")


def test_flags_of_a_test_reach_its_runs(found: Kit) -> None:
    found.perform(["test", "script", "first-one", "--fake_run", "--user_python"])
    assert not Path("ran").exists()
    found.perform(["test", "script", "first-one", "--user_python"])
    assert Path("ran").exists()


@pytest.mark.parametrize("wrapper", [["cmr"], ["cm", "run", "script"], ["run", "script"]])
def test_the_commands_of_the_tools_are_verbs(found: Kit, wrapper: list[str]) -> None:
    assert main([*wrapper, "first one", "--user_python", "--quiet"]) == 0
    assert Path("ran").exists()


def test_a_uid_and_a_test_are_had_from_utils_too(kit: Kit) -> None:
    assert len(kit.perform(["uid", "utils"])["uid"]) == 16
    assert kit.perform(["test", "utils"]) == {"return": 0}
    assert "works" in kit.console.said[-1]


def test_space_says_what_a_run_took_of_the_disk(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([700.0, 696.5])
    monkeypatch.setattr("assay.recipes.actions.script._free_mb", lambda: next(free))
    kit.recipe("plain", run="true\n")
    kit.run("plain", "--space")
    assert any("used disk space: 3 MB" in line for line in kit.console.noted)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("download-file utils --url=http://127.0.0.1:1/x", "cannot download http://127.0.0.1:1/x"),
        ("unzip-file utils --filename=none.zip", "file none.zip was not found"),
        ("download-file utils", 'needs "url"'),
    ],
)
def test_a_helper_that_fails_ends_a_command_line_and_answers_a_hook(kit: Kit, line: str, said: str) -> None:
    with pytest.raises(RecipeFault, match=said) as caught:
        kit.perform(line.split())
    assert caught.value.code == 1
    answer = access_for(kit.context())(line)
    assert answer["return"] == 1 and said in answer["error"]
