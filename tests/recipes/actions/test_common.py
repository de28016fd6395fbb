"""Actions on any kind of artifact, called as the command line calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions import common
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFault, RecipeNotFound
from tests.recipes.conftest import Kit


def names(answer: dict[str, Any]) -> list[str]:
    return [Path(found.path).name for found in answer["list"]]


@pytest.fixture
def three(kit: Kit) -> Kit:
    """Three artifacts of one kind, of which two share a tag."""
    for name, tags in (("one", "a,b"), ("two", "a,c"), ("three", "c")):
        common.add(kit.context(), parse(["add", "thing", name, f"--tags={tags}"]))
    kit.console.said.clear()
    return kit


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["thing"], {"one", "two", "three"}),
        (["thing", "one"], {"one"}),
        (["thing", "t*"], {"two", "three"}),
        (["thing", "one", "two"], {"one", "two"}),
        (["thing", "--tags=a"], {"one", "two"}),
        (["thing", "--tags=a,-b"], {"two"}),
        (["thing", "t*", "--tags=a"], {"two"}),
        (["thing", "a c"], {"two"}),  # a word with a blank stands for tags
        (["thing", "absent"], set()),
        (["thing", "one", "one"], {"one"}),
    ],
)
def test_artifacts_are_found_by_name_and_tags_each_once(
    words: list[str], found: set[str], three: Kit
) -> None:
    answer = common.search(three.context(), parse(["find", *words]))
    assert set(names(answer)) == found and len(answer["list"]) == len(found)
    assert {Path(line).name for line in three.console.said} == found


@pytest.mark.parametrize(
    ("tags", "found"), [("r,_v", ["r"]), ("r,_absent", []), ("r,_n.7", ["r"]), ("r,-_v", ["r"])]
)
def test_a_recipe_is_found_by_the_variations_that_it_knows(tags: str, found: list[str], kit: Kit) -> None:
    kit.recipe("r", variations={"v": {}, "n.#": {}})
    kit.recipe("r-other")
    assert names(common.search(kit.context(), parse(["find", "script", f"--tags={tags}"]))) == found


def test_a_new_artifact_has_its_description(kit: Kit) -> None:
    answer = common.add(
        kit.context(), parse(["add", "thing", "new", "--tags=a", "--new_tags=b", "--meta.k=v"])
    )
    meta = answer["meta"]
    assert meta["tags"] == ["a", "b"] and meta["k"] == "v" and meta["alias"] == "new"
    assert Path(answer["path"]).parent.name == "thing"
    assert kit.console.said[-1] == f"Added CM object at {answer['path']}"
    with pytest.raises(RecipeFault) as caught:
        common.add(kit.context(), parse(["add", "thing", "new"]))
    assert caught.value.code == 8


def test_a_description_is_printed_as_json_and_must_be_one(three: Kit) -> None:
    answer = common.load(three.context(), parse(["load", "thing", "one"]))
    assert json.loads(three.console.said[-1]) == answer["meta"] == answer["original_meta"]
    with pytest.raises(RecipeFault):
        common.load(three.context(), parse(["load", "thing", "t*"]))
    with pytest.raises(RecipeNotFound):
        common.load(three.context(), parse(["load", "thing", "absent"]))


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["one", "--tags=new"], {"one"}),  # of what is named
        (["--tags=a", "--new_tags=new"], {"one", "two"}),  # of what has the tag
        (["t*", "--new_tags=new"], {"two", "three"}),
    ],
)
def test_tags_are_added_to_what_is_named_or_found(words: list[str], changed: set[str], three: Kit) -> None:
    answer = common.update(three.context(), parse(["update", "thing", *words, "--meta.k=v"]))
    assert set(names(answer)) == changed
    for name in ("one", "two", "three"):
        meta = common.load(three.context(), parse(["load", "thing", name]))["meta"]
        assert ("new" in meta["tags"]) is ("k" in meta) is (name in changed)
        assert len(meta["tags"]) == len(set(meta["tags"]))


@pytest.mark.parametrize("action", [common.update, common.delete, common.info])
def test_what_is_not_there_is_number_16(action: Any, three: Kit) -> None:
    with pytest.raises(RecipeNotFound) as caught:
        action(three.context(), parse(["x", "thing", "absent", "-f"]))
    assert caught.value.code == 16


@pytest.mark.parametrize(
    ("flags", "answers", "deleted"),
    [(["-f"], [], {"two", "three"}), ([], ["y", "n"], {"first"}), ([], ["no", ""], set())],
)
def test_removing_asks_for_each_unless_it_is_forced(
    flags: list[str], answers: list[str], deleted: set[str], three: Kit
) -> None:
    three.console.answers = answers
    answer = common.delete(three.context(), parse(["rm", "thing", "t*", *flags]))
    gone = {Path(path).name for path in answer["deleted"]}
    assert len(gone) == len(deleted) and (deleted <= gone or deleted == {"first"})
    left = set(names(common.search(three.context(), parse(["find", "thing"]))))
    assert left == {"one", "two", "three"} - gone
    assert len(three.console.questions) == (0 if flags else 2)


def test_removing_every_recipe_takes_a_name(kit: Kit) -> None:
    kit.recipe("r")
    with pytest.raises(RecipeFault, match="every recipe"):
        common.delete(kit.context(), parse(["rm", "script", "-f"]))
    common.delete(kit.context(), parse(["rm", "script", "--tags=r", "-f"]))
    assert not (kit.repository / "script/r").exists()


@pytest.mark.parametrize(("action", "stays"), [(common.copy, True), (common.move, False)])
@pytest.mark.parametrize("source", ["one", "a b"])
def test_a_copy_has_another_uid_and_a_moved_one_its_own(
    action: Any, stays: bool, source: str, three: Kit
) -> None:
    before = common.load(three.context(), parse(["load", "thing", "one"]))["meta"]["uid"]
    answer = action(three.context(), parse(["x", "thing", source, "four"]))
    meta = common.load(three.context(), parse(["load", "thing", "four"]))["meta"]
    assert Path(answer["path"]).name == "four" and meta["alias"] == "four"
    assert (meta["uid"] == before) is not stays
    assert bool(common.search(three.context(), parse(["find", "thing", "one"]))["list"]) is stays
    assert ("* Copying " if stays else "* Moving ") in "\n".join(three.console.said)


@pytest.mark.parametrize("action", [common.copy, common.move])
def test_a_copy_needs_a_new_name(action: Any, three: Kit) -> None:
    with pytest.raises(RecipeFault, match="new name is missing") as caught:
        action(three.context(), parse(["cp", "thing", "one"]))
    assert caught.value.hint == "copy AUTOMATION NAME NEW_NAME"


def test_info_names_the_files(three: Kit) -> None:
    path = Path(common.search(three.context(), parse(["find", "thing", "one"]))["list"][0].path)
    (path / "more.txt").write_text("")
    common.info(three.context(), parse(["info", "thing", "one"]))
    told = three.console.said[-1]
    assert f"Path = {path}" in told and "    more.txt" in told and "CID = thing::one," in told


@pytest.mark.parametrize(("automation", "own"), [("script", "run"), ("repo", "pull"), ("", None)])
def test_help_lists_the_actions_of_a_kind(automation: str, own: str | None, kit: Kit) -> None:
    common.help(kit.context(), {"automation": automation})
    lines = kit.console.said[-1].splitlines()
    assert lines[0] == f"actions on {automation or 'artifacts'}:" and "  search" in lines
    assert own is None or f"  {own}" in lines


@pytest.mark.parametrize("line", ["test cache --a=b", "test cfg --a=b", "print_input automation --a=b"])
def test_a_kind_without_a_test_of_its_own_prints_what_it_was_given(three: Kit, line: str) -> None:
    (three.repository / "automation" / "automation").mkdir(parents=True)
    three.perform(line.split())
    assert json.loads(three.console.said[-1])["a"] == "b"


@pytest.mark.parametrize("automation", ["script", "core", "utils"])
def test_print_input_runs_no_test_of_a_kind_that_has_one(kit: Kit, automation: str) -> None:
    kit.recipe("fine", hooks="def preprocess(i): raise ValueError('it ran')\n")
    assert kit.perform(["print-input", automation, "fine", "--a=b"]) == {"return": 0}
    assert json.loads(kit.console.said[-1])["a"] == "b"


def test_show_lists_what_has_nothing_more_to_show(three: Kit) -> None:
    assert names(three.perform(["show", "thing", "--tags=a"])) == ["one", "two"]
    assert three.perform(["show", "experiment"])["list"] == []
