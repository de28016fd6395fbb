"""A home, its repositories and its cache, damaged, full or read-only: named, passed over or made again."""

from __future__ import annotations

import errno
import marshal
import os
from pathlib import Path
from typing import Any

import pytest

from assay.cli import guard
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import FORM, Index

from .conftest import Kit


@pytest.mark.parametrize("key", ["prefix", "alias", "uid"])
def test_a_repository_whose_names_are_no_text_is_an_error_that_names_its_file(kit: Kit, key: str) -> None:
    (kit.repository / "cmr.yaml").write_text(f"{key}: [a]\n")
    with pytest.raises(RecipeFault, match=f"cmr.yaml: {key} must be text, not .'a'.") as caught:
        kit.run("any")
    assert caught.value.code == 4


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


def test_a_folder_that_is_no_clone_is_not_pulled_into(kit: Kit) -> None:
    (kit.home.folder / "some@where").mkdir()
    with pytest.raises(RecipeFault, match="is no clone"):
        kit.perform(["pull", "repo", "some@where"])


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
