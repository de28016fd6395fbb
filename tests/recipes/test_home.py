"""Repositories, the index and the common actions, through real git and real folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assay.ground import files
from assay.recipes.errors import RecipeFault, RecipeNotFound
from assay.recipes.home import clones, descriptions
from assay.recipes.home.git import changed_files
from assay.recipes.home.index import Index

from .conftest import Kit


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="session")
def has_git() -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")


@pytest.fixture
def upstream(tmp_path: Path, has_git: None) -> Path:
    """A repository with one recipe and two commits."""
    folder = tmp_path / "up" / "owner" / "name"
    (folder / "script" / "far").mkdir(parents=True)
    (folder / "cmr.yaml").write_text("alias: owner@other\nuid: 00000000000000bb\n")
    (folder / "script" / "far" / "_cm.yaml").write_text("alias: far\nuid: 00000000000000cc\ntags: [far]\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "new").touch()
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "two")
    return folder


def test_a_pull_clones_registers_and_indexes(kit: Kit, upstream: Path) -> None:
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    assert [a.alias for a in Index(kit.context().home).find("script", tags="far")] == ["far"]
    assert str(kit.home.folder / "owner@name") in json.loads((kit.home.root / "repos.json").read_text())
    assert any("runs with your rights" in line for line in kit.console.noted)


def test_a_pull_at_a_commit_can_be_pulled_again(kit: Kit, upstream: Path) -> None:
    first = git(upstream, "rev-list", "--max-parents=0", "HEAD")
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}", f"--checkout={first}"])
    clone = kit.home.folder / "owner@name"
    assert git(clone, "rev-parse", "HEAD") == first
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    assert git(clone, "rev-parse", "HEAD") == first


def test_pulls_of_one_repository_at_the_same_time_wait_for_each_other(kit: Kit, upstream: Path) -> None:
    line = [sys.executable, "-m", "assay", "pull", "repo", "o@n", f"--url={upstream}"]
    environ = os.environ | {"CM_REPOS": str(kit.home.root)}
    pulls = [subprocess.Popen(line, env=environ, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [pull.wait(60) for pull in pulls] == [0, 0, 0, 0]
    assert [path.name for path in kit.home.folder.glob("*o@n*")] == ["o@n"]


@pytest.mark.usefixtures("has_git")
def test_a_pull_that_fails_leaves_nothing_and_says_what_git_said(kit: Kit, tmp_path: Path) -> None:
    with pytest.raises(RecipeFault, match="git clone failed"):
        kit.perform(["pull", "repo", "owner@name", f"--url={tmp_path / 'absent'}"])
    assert not list(kit.home.folder.glob("*owner*"))


def test_a_second_repository_of_the_same_uid_is_refused_and_its_clone_removed(
    kit: Kit, upstream: Path
) -> None:
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    with pytest.raises(RecipeFault, match="already registered"):
        kit.perform(["pull", "repo", "fork@name", f"--url={upstream}"])
    assert not (kit.home.folder / "fork@name").exists()


@pytest.mark.parametrize("name", ["owner@name", "owner@other", "00000000000000bb"])
def test_a_repository_is_removed_by_the_name_it_was_pulled_as_by_alias_and_by_uid(
    kit: Kit, upstream: Path, name: str
) -> None:
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    kit.perform(["rm", "repo", name, "-f", "--all"])
    assert not (kit.home.folder / "owner@name").exists()
    with pytest.raises(RecipeFault, match="Repository not found"):
        kit.perform(["rm", "repo", name, "-f"])


@pytest.mark.parametrize(
    "words",
    [
        ["--url=--upload-pack=touch pwned"],
        ["--url=ext::sh -c 'touch pwned'"],
        ["--branch=--orphan"],
        ["--checkout=$(touch pwned)"],
        ["--dir=../../outside"],
    ],
)
def test_no_url_branch_or_folder_runs_a_command_or_leaves_the_home(
    kit: Kit, upstream: Path, words: list[str]
) -> None:
    extra = [] if any(word.startswith("--url") for word in words) else [f"--url={upstream}"]
    with pytest.raises(RecipeFault):
        kit.perform(["pull", "repo", "owner@name", *extra, *words])
    assert not list(kit.root.rglob("pwned"))


def test_checkout_takes_either_name(kit: Kit, upstream: Path) -> None:
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    first = git(upstream, "rev-list", "--max-parents=0", "HEAD")
    kit.perform(["checkout", "repo", "owner@other", f"--checkout={first}"])
    assert git(kit.home.folder / "owner@name", "rev-parse", "HEAD") == first


def test_the_index_sees_a_changed_description_at_once(kit: Kit) -> None:
    folder = kit.recipe("one")
    assert Index(kit.home).find("script", tags="one")
    description = json.loads((folder / "_cm.json").read_text())
    (folder / "_cm.json").write_text(json.dumps(description | {"tags": ["two"]}))
    assert not Index(kit.home).find("script", tags="one")
    assert Index(kit.home).find("script", tags="two")


def test_a_lost_or_broken_index_changes_no_answer(kit: Kit) -> None:
    kit.recipe("one")
    Index(kit.home).find("script")
    for content in (b"", b"\x00broken", b"i\x01\x00\x00\x00"):
        (kit.home.work / "index-script.bin").write_bytes(content)
        assert len(Index(kit.home).find("script", tags="one")) == 1


def test_a_description_that_does_not_parse_is_left_out_and_named(kit: Kit) -> None:
    folder = kit.recipe("bad")
    kit.recipe("good")
    (folder / "_cm.json").write_text("{")
    index = Index(kit.home)
    assert [a.alias for a in index.find("script")] == ["good"]
    assert "bad" in index.broken[0].fault.message


def test_yaml_and_json_of_one_recipe_are_merged_and_json_wins(kit: Kit) -> None:
    folder = kit.recipe("both", env={"CM_A": "json"}, new_env_keys=["CM_A", "CM_B"])
    (folder / "_cm.yaml").write_text("env: {CM_A: yaml}\ndefault_env: {CM_B: yaml}\n")
    assert kit.run("both")["new_env"] == {"CM_A": "json", "CM_B": "yaml"}


def test_a_recipe_inherits_from_its_base(kit: Kit) -> None:
    kit.recipe("parent", env={"CM_A": "1"}, new_env_keys=["CM_A"], variations={"v": {}})
    kit.recipe("child", _base="script::parent", new_env_keys=["CM_B"], env={"CM_B": "2"})
    assert kit.run("child,_v")["new_env"] == {"CM_A": "1", "CM_B": "2"}


def test_a_recipe_that_inherits_from_itself_is_error_8(kit: Kit) -> None:
    kit.recipe("loop", _base="script::loop")
    with pytest.raises(RecipeFault) as caught:
        kit.run("loop")
    assert caught.value.code == 8


def test_add_load_update_copy_move_and_delete(kit: Kit) -> None:
    kit.perform(["add", "experiment", "one", "--tags=a,b"])
    assert kit.perform(["load", "experiment", "one"])["meta"]["tags"] == ["a", "b"]
    kit.perform(["update", "experiment", "one", "--tags=c"])
    assert kit.perform(["load", "experiment", "one"])["meta"]["tags"] == ["a", "b", "c"]
    kit.perform(["cp", "experiment", "one", "two"])
    kit.perform(["mv", "experiment", "two", "three"])
    paths = [Path(found.path).name for found in kit.perform(["find", "experiment"])["list"]]
    assert paths == ["one", "three"]
    uids = {kit.perform(["load", "experiment", name])["meta"]["uid"] for name in paths}
    assert len(uids) == 2
    kit.perform(["rm", "experiment", "t*", "-f"])
    assert len(kit.perform(["ls", "experiment"])["list"]) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["add", "experiment", "one"], 8),
        (["load", "experiment", "absent"], 16),
        (["rm", "experiment", "absent", "-f"], 16),
        (["frobnicate", "script"], 4),
        (["run", "nosuchthing"], 4),
        (["run"], 4),
        (["rm", "repo", "absent", "-f"], 1),
        (["add", "experiment", "../../out"], 1),
    ],
)
def test_each_kind_of_failure_has_cms_number(kit: Kit, line: list[str], code: int) -> None:
    kit.perform(["add", "experiment", "one"])
    with pytest.raises(RecipeFault) as caught:
        kit.perform(line)
    assert caught.value.code == code


def test_tags_need_not_be_in_order_and_a_hyphen_excludes(kit: Kit) -> None:
    kit.recipe("x", tags=["a", "b"])
    kit.recipe("y", tags=["a", "b", "c"])
    found = kit.perform(["find", "script", "--tags=b,a,-c"])["list"]
    assert [Path(item.path).name for item in found] == ["x"]


def test_a_search_without_a_result_is_no_error(kit: Kit) -> None:
    with pytest.raises(RecipeNotFound):
        kit.run("nothing")
    assert kit.perform(["find", "script", "--tags=nothing"])["list"] == []


def test_the_index_of_the_original_tool_is_dropped_when_something_changes(kit: Kit) -> None:
    stale = kit.home.root / "index.json"
    stale.write_text("{}")
    kit.recipe("make", cache=True)
    kit.run("make")
    assert not stale.exists()


def test_a_new_recipe_from_the_template_runs(kit: Kit) -> None:
    kit.perform(["add", "script", "fresh-one", "--tags=fresh,one"])
    assert kit.run("fresh,one")["return"] == 0
    assert os.access(kit.home.local / "script" / "fresh-one" / "customize.py", os.R_OK)


@pytest.mark.parametrize("name", ["x#y", "*star", "{a}", "123", "yes", "é", "it's", 'a"b', "a b"])
def test_a_new_recipe_and_a_new_repository_have_the_name_that_they_were_given(kit: Kit, name: str) -> None:
    assert kit.perform(["add", "script", name, "--tags=a: b,#c"])["meta"]["alias"] == name
    made = kit.perform(["add", "repo", name, "--desc=recipes: mine"])
    assert made["path"] == str(kit.home.folder / name)
    assert name in [repository.alias for repository in kit.home.repositories()]


@pytest.mark.parametrize("name", ["../../outside", "new\nline", "clear\x1b[2J"])
@pytest.mark.parametrize("kind", ["script", "repo"])
def test_a_name_that_leads_elsewhere_or_cannot_be_printed_makes_nothing(
    kit: Kit, kind: str, name: str
) -> None:
    before = sorted(kit.home.root.parent.rglob("*"))
    with pytest.raises(RecipeFault, match="is not a valid name for"):
        kit.perform(["add", kind, name])
    left = {path for path in kit.home.root.parent.rglob("*") if ".assay" not in path.parts} - set(before)
    assert not left


@pytest.fixture
def killed_pull(kit: Kit, upstream: Path, tmp_path: Path) -> Path:
    """A clone whose update was killed after git had taken its lock, changed one file and made another."""
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    clone = kit.home.folder / "owner@name"
    (upstream / "script" / "far" / "_cm.yaml").write_text(
        "alias: far\nuid: 00000000000000cc\ntags: [farther]\n"
    )
    (upstream / "newest").write_text("n" * 100)
    git(upstream, "add", ".")
    git(upstream, "commit", "-q", "-m", "three")
    (clone / "cmr.yaml").write_text("alias: owner@other\nuid: 00000000000000bb\ndesc: the user's\n")
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/bash\nif [[ " $* " != *" pull "* ]]; then exec {shutil.which("git")} "$@"; fi\n'
        f"cd {clone} && touch .git/index.lock && echo alias > script/far/_cm.yaml && echo n > newest\n"
        "kill -9 $PPID\n"
    )
    wrapper.chmod(0o755)
    environ = {"CM_REPOS": str(kit.home.root), "PATH": f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "assay", "pull", "repo", "owner@name"], env=os.environ | environ
    )
    assert done.returncode == -9
    return clone


def test_a_killed_pull_is_done_by_the_next_and_changes_of_the_user_stay(kit: Kit, killed_pull: Path) -> None:
    kit.perform(["pull", "repo", "owner@name"])
    assert (killed_pull / "newest").read_text() == "n" * 100
    assert "farther" in (killed_pull / "script" / "far" / "_cm.yaml").read_text()
    assert "the user's" in (killed_pull / "cmr.yaml").read_text()


def test_after_a_killed_pull_the_recipes_are_those_of_one_commit(kit: Kit, killed_pull: Path) -> None:
    assert [a.alias for a in Index(kit.context().home).find("script", tags="far")] == ["far"]
    assert not (killed_pull / "newest").exists()
    pieces = kit.home.work / "failed" / "pull-owner@name"
    assert (pieces / "newest").read_text() == "n\n"


def test_a_lock_that_git_left_does_not_stop_a_pull(kit: Kit, upstream: Path) -> None:
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    (upstream / "newest").touch()
    git(upstream, "add", ".")
    git(upstream, "commit", "-q", "-m", "three")
    clone = kit.home.folder / "owner@name"
    (clone / ".git" / "index.lock").touch()
    (clone / ".git" / "refs" / "remotes" / "origin" / "main.lock").touch()
    kit.perform(["pull", "repo", "owner@name"])
    assert (clone / "newest").exists()


def test_a_git_that_is_at_work_keeps_its_lock(
    kit: Kit, upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clones, "PATIENCE_SECONDS", 0.0)
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    clone = kit.home.folder / "owner@name"
    lock = clone / ".git" / "index.lock"
    lock.touch()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    at_work = subprocess.Popen(["git", "cat-file", "--batch-check"], cwd=clone, **pipes)
    try:
        assert at_work.stdin and at_work.stdout
        at_work.stdin.write(b"HEAD\n")
        at_work.stdin.flush()
        assert b"commit" in at_work.stdout.readline()  # it runs
        with pytest.raises(RecipeFault, match="is still running in"):
            kit.perform(["pull", "repo", "owner@name"])
    finally:
        at_work.communicate()
    assert lock.exists()


def test_a_removal_that_ends_halfway_leaves_no_half_repository(
    kit: Kit, upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    with monkeypatch.context() as killed:
        killed.setattr(clones, "remove_folder", lambda folder: shutil.rmtree(folder / ".git"))
        kit.perform(["rm", "repo", "owner@name", "-f", "--all"])
    kit.perform(["pull", "repo", "owner@name", f"--url={upstream}"])
    assert [path.name for path in kit.home.folder.glob("*owner*")] == ["owner@name"]


def test_changed_files_are_named_whole(kit: Kit, upstream: Path) -> None:
    (upstream / "cmr.yaml").write_text("alias: owner@other\nuid: 00000000000000bb\ndesc: new\n")
    (upstream / "a name").touch()
    assert changed_files(upstream) == ["cmr.yaml", "a name"]


def test_a_copy_that_ends_halfway_is_no_artifact(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.recipe("whole", run="true\n")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copystat", killed)
        with pytest.raises(KeyboardInterrupt):
            kit.perform(["cp", "script", "whole", "half"])
    assert [a.alias for a in kit.context().index.artifacts("script")] == ["whole"]
    left = kit.repository / "script" / ".half.abcdefgh.part"  # as after a kill
    left.mkdir()
    kit.perform(["cp", "script", "whole", "half"])
    assert not left.exists()
    assert [a.alias for a in kit.context().index.artifacts("script")] == ["half", "whole"]


def test_a_part_of_a_cache_file_goes_when_its_writer_is_dead_and_stays_while_it_lives(tmp_path: Path) -> None:
    target, ended = tmp_path / "index.bin", subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f".index.bin.{ended.pid}.part"
    others = [tmp_path / f".index.bin.{os.getppid()}.part", tmp_path / ".index.bin.mine.part"]
    others += [tmp_path / name for name in (".x.part", ".x..part", f".x.{9**40}.part")]
    for path in (left, *others):
        path.touch()
    descriptions.write_cache_file(target, b"new")
    assert target.read_bytes() == b"new" and not left.exists()
    assert all(path.exists() for path in others)


def test_what_a_kill_left_beside_the_local_description_is_swept_and_what_is_in_use_stays(kit: Kit) -> None:
    """The description is written once, so no later writer does it."""
    kit.home.make_local()
    left = kit.home.local / ".cmr.yaml.abcdefgh.part"
    left.mkdir()
    with files.staged(kit.home.local / "cmr.yaml") as part:
        kit.home.make_local()
        assert not left.exists() and part.parent.exists()
        part.write_text((kit.home.local / "cmr.yaml").read_text())
