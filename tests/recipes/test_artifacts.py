"""Artifacts are added, changed, copied, moved and removed as folders with a description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.names import is_uid
from assay.recipes.errors import RecipeFault, RecipeNotFound
from assay.recipes.home.artifacts import Artifacts
from assay.recipes.home.index import Index
from tests.recipes.conftest import Kit


def artifacts(kit: Kit) -> Artifacts:
    kit.home.changed()
    return Artifacts(Index(kit.home))


def described(folder: Path) -> dict[str, Any]:
    value = json.loads((folder / "_cm.json").read_text())
    assert isinstance(value, dict)
    return value


def test_an_artifact_is_added_to_the_local_repository_with_a_uid_of_its_own(kit: Kit) -> None:
    folder = artifacts(kit).add("script", "my-tool", ["a", "b"], {"extra": 1})
    assert folder == kit.home.local / "script" / "my-tool"
    found = described(folder)
    assert is_uid(found.pop("uid"))
    assert found == {
        "alias": "my-tool",
        "automation_alias": "script",
        "automation_uid": "5b4e0237da074764",
        "extra": 1,
        "tags": ["a", "b"],
    }


def test_a_name_may_bring_its_repository_and_its_uid(kit: Kit) -> None:
    folder = artifacts(kit).add("cfg", "tests@small:mine,00000000000000ff", [])
    assert folder == kit.repository / "cfg" / "mine"
    assert described(folder)["uid"] == "00000000000000ff"


@pytest.mark.parametrize("name", ["..", "a/b", "../../x", "a\nb", "\x1b[2J"])
def test_a_name_that_leads_out_or_cannot_be_printed_is_refused(name: str, kit: Kit) -> None:
    with pytest.raises(RecipeFault, match="is not a valid name for an artifact"):
        artifacts(kit).add("script", name, [])


def test_what_is_there_already_is_not_made_again(kit: Kit) -> None:
    artifacts(kit).add("script", "my-tool", [])
    with pytest.raises(
        RecipeFault, match=r"(?s)artifact already exists in the path.*try: give it another name"
    ):
        artifacts(kit).add("script", "my-tool", [])


def test_one_of_a_name_is_found_none_and_several_are_refused(kit: Kit) -> None:
    kit.recipe("get-a", tags=["get", "x"])
    kit.recipe("get-b", tags=["get", "y"])
    made = artifacts(kit)
    assert made.one("script", "get-a").alias == "get-a"
    assert made.one("script", "", "get,y").alias == "get-b"
    with pytest.raises(RecipeNotFound, match="artifact not found: script get-c"):
        made.one("script", "get-c")
    with pytest.raises(RecipeFault, match="more than one artifact of that name"):
        made.one("script", "", "get")


def test_an_update_adds_tags_and_merges_values(kit: Kit) -> None:
    kit.recipe("tool", tags=["a"], env={"A": 1})
    made = artifacts(kit)
    made.update(made.one("script", "tool"), ["a", "b"], {"env": {"B": 2}})
    found = described(kit.repository / "script/tool")
    assert (found["tags"], found["env"]) == (["a", "b"], {"A": 1, "B": 2})


def test_a_copy_has_a_uid_of_its_own_and_its_files_a_moved_one_keeps_its_own(kit: Kit) -> None:
    folder = kit.recipe("tool", run="echo run")
    made = artifacts(kit)
    uid = described(folder)["uid"]
    copied = made.copy(made.one("script", "tool"), "other")
    assert copied == kit.repository / "script/other"
    assert (copied / "run.sh").read_text() == "echo run"
    assert described(copied)["alias"] == "other" and described(copied)["uid"] != uid
    assert folder.exists()
    moved = artifacts(kit).copy(artifacts(kit).one("script", "tool"), "moved", move=True)
    assert described(moved) == described(moved) | {"alias": "moved", "uid": uid}
    assert not folder.exists()


@pytest.mark.parametrize("target", [":", ""])
def test_a_copy_without_a_new_name_is_refused_and_leaves_nothing(target: str, kit: Kit) -> None:
    made = artifacts(kit)
    made.add("script", "tool", ["a"])
    before = sorted(kit.home.local.rglob("*"))
    with pytest.raises(RecipeFault, match="names neither a repository nor an artifact"):
        made.copy(artifacts(kit).one("script", "tool"), target)
    assert sorted(kit.home.local.rglob("*")) == before


def test_a_copy_never_lands_on_another_artifact(kit: Kit) -> None:
    kit.recipe("one")
    kit.recipe("two", run="echo two")
    made = artifacts(kit)
    with pytest.raises(RecipeFault, match="artifact already exists"):
        made.copy(made.one("script", "one"), "two")
    assert (kit.repository / "script/two/run.sh").read_text() == "echo two"


def test_what_is_deleted_is_found_no_more(kit: Kit) -> None:
    folder = kit.recipe("tool", run="echo")
    made = artifacts(kit)
    made.delete(made.one("script", "tool"))
    assert not folder.exists()
    with pytest.raises(RecipeNotFound):
        artifacts(kit).one("script", "tool")
