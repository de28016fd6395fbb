"""Actions on repositories, called as the command line calls them, with git over the file system alone."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions import repo
from assay.recipes.contract.argv import parse
from assay.recipes.contract.cm import CM
from assay.recipes.contract.mlc import MLC
from assay.recipes.errors import RecipeFault
from assay.recipes.home import clones, git
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context
from tests.recipes.conftest import Kit
from tests.recipes.test_home import git as run_git
from tests.recipes.test_home import has_git, upstream

__all__ = ["has_git", "upstream"]  # fixtures


def does(kit: Kit, action: Any, *words: str) -> dict[str, Any]:
    kit.console.said.clear()
    answer: dict[str, Any] = action(kit.context(), parse(["x", "repo", *words]))
    return answer


def registered(kit: Kit) -> set[str]:
    return {repository.path.name for repository in kit.home.pulled()}


# ---------------------------------------------------------------------- finding


@pytest.mark.parametrize(
    ("word", "found"), [("tests@small", 1), ("00000000000000aa", 1), ("tests*", 1), ("absent", 0), ("", 1)]
)
def test_a_repository_is_found_by_name_uid_and_pattern(word: str, found: int, kit: Kit) -> None:
    line = f"tests@small,00000000000000aa = {kit.repository}"
    does(kit, repo.search, word)
    assert kit.console.said.count(line) == found
    does(kit, repo.where, word)
    assert kit.console.said.count(str(kit.repository)) == found


def test_one_that_git_does_not_know_is_shown_as_such(kit: Kit) -> None:
    repo.write_description(CM, kit.repository, "tests@small", {"desc": "small ones"})
    (shown,) = does(kit, repo.show, "tests@small")["list"]
    assert shown["git"] is None and shown["alias"] == "tests@small"
    assert "Description:        small ones" in kit.console.said
    assert kit.console.said[-1] == "Git:                False"


def test_a_clone_is_shown_with_where_it_stands_and_without_its_password(kit: Kit, upstream: Path) -> None:
    does(kit, repo.pull, "owner@name", f"--url={upstream}")
    clone = kit.home.folder / "owner@name"
    run_git(clone, "config", "remote.origin.url", "https://me:hunter2@example.org/owner/name")
    (shown,) = does(kit, repo.show, "owner@name")["list"]
    told = "\n".join(kit.console.said)
    assert "  Original alias:   owner@other" in told and "hunter2" not in told + json.dumps(shown)
    assert shown["git"]["branch"] == "main" and shown["git"]["commit"] == run_git(
        upstream, "rev-parse", "HEAD"
    )


@pytest.mark.parametrize(("place", "found"), [("script/deep", True), (".", True), ("..", False)])
def test_the_repository_around_the_current_folder_is_found(
    place: str, found: bool, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kit.repository / "script/deep").mkdir(parents=True)
    monkeypatch.chdir(kit.repository / place)
    answer = does(kit, repo.detect)
    assert answer.get("found") is found and (answer.get("path") == str(kit.repository)) is found


# ---------------------------------------------------------------------- pulling


@pytest.mark.parametrize("words", [["owner@name"], []])
def test_a_clone_is_registered_under_its_name_and_said_to_be_foreign_code(
    words: list[str], kit: Kit, upstream: Path
) -> None:
    answer = does(kit, repo.pull, *words, f"--url={upstream}")
    assert answer["path"] == str(kit.home.folder / "owner@name") and "owner@name" in registered(kit)
    assert kit.console.said[-1] == "Indexed 1 recipe"
    assert any(git.TRUST_NOTICE.format("owner@name") in line for line in kit.console.noted)
    kit.console.noted.clear()
    does(kit, repo.update, "owner@name", f"--url={upstream}")
    assert kit.console.noted == [] and kit.console.said[0].startswith("Pulling /")


def test_all_that_git_knows_is_brought_up_to_date_without_a_name(kit: Kit, upstream: Path) -> None:
    does(kit, repo.pull, f"--url={upstream}")
    (upstream / "newer").touch()
    run_git(upstream, "add", ".")
    run_git(upstream, "commit", "-q", "-m", "three")
    does(kit, repo.pull)
    assert (kit.home.folder / "owner@name/newer").exists()
    assert [line for line in kit.console.said if line.startswith("Pulling")] == [
        f"Pulling {kit.home.folder / 'owner@name'}"  # and not the one without git
    ]


@pytest.mark.parametrize("flag", ["--tag=v1", "--checkout=v1"])
def test_a_tag_is_checked_out(flag: str, kit: Kit, upstream: Path) -> None:
    first = run_git(upstream, "rev-list", "--max-parents=0", "HEAD")
    run_git(upstream, "tag", "v1", first)
    does(kit, repo.pull, f"--url={upstream}", flag)
    assert run_git(kit.home.folder / "owner@name", "rev-parse", "HEAD") == first
    assert not (kit.home.folder / "owner@name/new").exists()


@pytest.mark.parametrize("folder", ["../out", "a/b", "/tmp/out"])
def test_a_clone_lies_directly_below_the_home(folder: str, kit: Kit, upstream: Path) -> None:
    with pytest.raises(RecipeFault, match="is not directly below"):
        does(kit, repo.pull, f"--url={upstream}", f"--dir={folder}")
    assert registered(kit) == {"tests@small"}


def test_a_clone_without_a_description_gets_one(kit: Kit, upstream: Path) -> None:
    run_git(upstream, "rm", "-q", "cmr.yaml")
    run_git(upstream, "commit", "-q", "-m", "bare")
    does(kit, repo.pull, f"--url={upstream}", "--desc=it's: mine", "--prefix=p")
    found = kit.home.read_repository(kit.home.folder / "owner@name")
    assert found is not None and found.alias == "owner@name" and len(found.uid) == 16
    assert found.description["desc"] == "it's: mine" and found.description["git"] is True


def test_the_old_name_of_cms_recipes_leads_to_the_new_one(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, str]] = []

    def obtain(home: Any, target: Path, url: str, *more: Any) -> bool:
        asked.append((target, url))
        raise RecipeFault("no network")

    monkeypatch.setattr(clones, "obtain", obtain)
    for words in (["mlcommons@ck"], ["mlcommons@ck", "--branch=master"]):
        with pytest.raises(RecipeFault):
            does(kit, repo.pull, *words)
    assert [(target.name, url) for target, url in asked] == [
        ("mlcommons@cm4mlops", "https://github.com/mlcommons/cm4mlops"),
        ("mlcommons@ck", "https://github.com/mlcommons/ck"),
    ]


def describing(folder: Path, text: str) -> None:
    (folder / "cmr.yaml").write_text(f"alias: owner@other\nuid: 00000000000000bb\n{text}")
    run_git(folder, "commit", "-q", "-a", "-m", "needs")


def test_another_repository_that_it_needs_is_named(kit: Kit, upstream: Path) -> None:
    describing(upstream, "deps:\n  - alias: far@away\n  - alias: tests@small\n")
    does(kit, repo.pull, f"--url={upstream}")
    assert kit.console.noted[-1] == "assay: owner@other needs far@away: pull repo far@away"


def test_one_that_it_does_not_go_with_ends_the_pull(kit: Kit, upstream: Path) -> None:
    describing(upstream, "deps:\n  - {alias: tests@small, conflict: true}\n")
    with pytest.raises(RecipeFault, match="does not go with tests@small"):
        does(kit, repo.pull, f"--url={upstream}")
    assert registered(kit) == {"tests@small"}


# ---------------------------------------------------------------------- checking out


def test_a_commit_is_checked_out_and_the_index_made_again(kit: Kit, upstream: Path) -> None:
    does(kit, repo.pull, f"--url={upstream}")
    first = run_git(upstream, "rev-list", "--max-parents=0", "HEAD")
    does(kit, repo.checkout, "owner@name", f"--checkout={first}")
    assert not (kit.home.folder / "owner@name/new").exists() and kit.console.said == ["Indexed 1 recipe"]
    does(kit, repo.checkout, "owner@name", "--branch=main")
    assert (kit.home.folder / "owner@name/new").exists()


@pytest.mark.parametrize(
    ("words", "fault"), [(["tests@small"], "nothing to check out"), (["absent", "--branch=b"], "absent")]
)
def test_a_checkout_needs_a_repository_and_a_place(words: list[str], fault: str, kit: Kit) -> None:
    with pytest.raises(RecipeFault, match=fault):
        does(kit, repo.checkout, *words)


# ---------------------------------------------------------------------- removing


@pytest.mark.parametrize(
    ("flags", "answers", "is_registered", "is_there"),
    [
        (["-f"], [], False, True),
        (["-f", "--all"], [], False, False),
        ([], ["y"], False, True),
        ([], ["n"], True, True),
    ],
)
def test_removing_takes_a_word_and_the_files_another(
    flags: list[str], answers: list[str], is_registered: bool, is_there: bool, kit: Kit
) -> None:
    kit.recipe("r")
    kit.console.answers = answers
    does(kit, repo.delete, "tests@small", *flags)
    assert ("tests@small" in registered(kit)) is is_registered and kit.repository.exists() is is_there
    assert bool(kit.context().index.find("script", tags="r")) is is_registered


def test_mlc_removes_the_files_too(tmp_path: Path) -> None:
    home = Home(tmp_path / "mlc", MLC)
    folder = home.folder / "o@n"
    folder.mkdir(parents=True)
    repo.write_description(MLC, folder, "o@n", {})
    home.register(folder)
    console = Quiet()
    repo.delete(Context(home, console, {}), parse(["rm", "repo", "o@n", "-f"]))
    assert not folder.exists() and console.said[-1] == "  Deleted!"


@pytest.mark.parametrize(
    ("words", "fault"), [([], "name of the repository is missing"), (["absent"], "not found")]
)
def test_what_is_removed_must_be_there_and_named(words: list[str], fault: str, kit: Kit) -> None:
    with pytest.raises(RecipeFault, match=fault) as caught:
        does(kit, repo.delete, *words, "-f")
    assert not words or caught.value.hint == "registered here: tests@small"


def test_the_local_one_stays(kit: Kit) -> None:
    kit.home.make_local()
    with pytest.raises(RecipeFault, match="not found"):
        does(kit, repo.delete, "local", "-f", "--all")
    assert kit.home.local.is_dir()


# ---------------------------------------------------------------------- making


@pytest.mark.parametrize("action", [repo.add, repo.init])
def test_an_empty_one_is_made_where_it_is_wanted(action: Any, kit: Kit, tmp_path: Path) -> None:
    assert does(kit, action, "own@one")["path"] == str(kit.home.folder / "own@one")
    assert does(kit, action, "own@two", f"--path={tmp_path / 'far'}")["path"] == str(tmp_path / "far")
    assert does(kit, action, "own@here", "--here")["path"] == str(Path.cwd())
    assert {"own@one", "own@two", "own@here"} <= {one.alias for one in kit.home.repositories()}


def test_one_that_has_a_description_keeps_it(kit: Kit, tmp_path: Path) -> None:
    folder = tmp_path / "far"
    folder.mkdir()
    (folder / "cmr.yaml").write_text("alias: own@old\nuid: 00000000000000dd\n")
    does(kit, repo.import_, f"--path={folder}")
    assert "own@old,00000000000000dd" in {f"{one.alias},{one.uid}" for one in kit.home.repositories()}


def test_the_current_folder_is_imported_under_its_own_name(kit: Kit) -> None:
    answer = does(kit, repo.import_)
    assert answer["path"] == str(Path.cwd()) and kit.console.said == [f"work is registered at {Path.cwd()}"]


@pytest.mark.parametrize("name", ["", "../out", "a/../../out", "new\nline"])
def test_a_name_that_is_none_makes_nothing(name: str, kit: Kit) -> None:
    before = sorted(kit.root.rglob("*"))
    with pytest.raises(RecipeFault):
        repo.add(kit.context(), {"artifact": name})
    assert [
        path for path in sorted(kit.root.rglob("*")) if path not in before and path.suffix != ".lock"
    ] == []


def test_every_recipe_is_looked_at_again_and_broken_ones_named(kit: Kit) -> None:
    kit.recipe("good")
    (kit.recipe("bad") / "_cm.json").write_text("{")
    does(kit, repo.reindex)
    assert kit.console.said == ["Indexed 1 recipe"]
    assert [("left out" in line, "bad" in line) for line in kit.console.noted] == [(True, True)]


# ---------------------------------------------------------------------- packing


def test_what_is_packed_is_unpacked_again_under_another_name(kit: Kit) -> None:
    kit.recipe("r", run="echo\n")
    (kit.repository / ".git").mkdir()
    (kit.repository / ".git/config").write_text("")
    packed = does(kit, repo.pack, "tests@small")["path"]
    assert packed == str(Path.cwd() / "cm.zip")
    with zipfile.ZipFile(packed) as archive:
        assert sorted(archive.namelist()) == ["cmr.yaml", "script/r/_cm.json", "script/r/run.sh"]
    does(kit, repo.delete, "tests@small", "-f", "--all")
    assert does(kit, repo.unpack, "cm.zip", "again")["path"] == str(kit.home.folder / "again")
    assert kit.context().index.find("script", tags="r")[0].repository.path.name == "again"
    with pytest.raises(RecipeFault, match="exists") as caught:
        does(kit, repo.unpack, "cm.zip", "again")
    assert caught.value.code == 8


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_what_is_no_archive_is_not_registered(content: bytes | None, kit: Kit) -> None:
    if content is not None:
        Path("x.zip").write_bytes(content)
    with pytest.raises(RecipeFault):
        does(kit, repo.unpack, "x.zip")
    assert registered(kit) == {"tests@small"} and not (kit.home.folder / "x").exists()


def test_an_archive_of_a_repository_that_is_registered_leaves_nothing_behind(kit: Kit) -> None:
    does(kit, repo.pack, "tests@small")
    with pytest.raises(RecipeFault):
        does(kit, repo.unpack, "cm.zip", "twin")
    assert not (kit.home.folder / "twin").exists() and kit.repository.exists()
