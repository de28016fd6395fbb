"""Descriptions of recipes, written wrongly or without an end: named in a sentence, and no bug of the runner."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.shape import misshapen
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.tools.lint import lint

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


def test_a_recipe_that_needs_itself_is_an_error_that_names_it(kit: Kit) -> None:
    kit.recipe("loop", deps=[{"tags": "loop"}])
    with pytest.raises(RecipeFault, match="loop is more than 64 dependencies deep") as caught:
        kit.run("loop")
    assert "recipe plan" in caught.value.hint


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


@pytest.mark.parametrize("name", ["_cm.json", "_cm.yaml"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_no_description(kit: Kit, name: str, kind: str) -> None:
    description = kit.recipe("wrong") / "_cm.json"
    description.unlink()
    odd = description.with_name(name)
    make = {
        "folder": odd.mkdir,
        "pipe": lambda: os.mkfifo(odd),
        "device": lambda: odd.symlink_to("/dev/zero"),
    }
    make[kind]()
    kit.recipe("good")
    assert [artifact.alias for artifact in Index(kit.home).find("script")] == ["good"]
    with pytest.raises(RecipeFault, match="no scripts were found"):
        kit.run("wrong")


def test_of_several_that_cannot_be_read_the_one_that_was_asked_for_is_named(kit: Kit) -> None:
    for name in ("get-a", "get-b", "get-c"):
        (kit.recipe(name) / "_cm.json").write_text("{")
    for asked in ("get,b", "b,get"):
        with pytest.raises(RecipeFault, match="script/get-b: "):
            kit.run(asked)
    with pytest.raises(RecipeFault, match="script/get-c: "):
        kit.perform(["find", "script", "get-c"])
