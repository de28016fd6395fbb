"""The files of a new recipe."""

from __future__ import annotations

import ast
import itertools
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.recipes.actions.new_recipe import HOOKS, add_recipe
from assay.recipes.contract.dialect import SCRIPT_UID
from assay.recipes.errors import RecipeFault
from assay.recipes.home.artifacts import Artifacts
from tests.recipes.conftest import Kit


def artifacts(kit: Kit) -> Artifacts:
    return Artifacts(kit.context().index)


def description(folder: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((folder / "_cm.yaml").read_text())
    return found


def test_a_new_recipe_has_a_description_hooks_and_a_script(kit: Kit) -> None:
    folder = add_recipe(artifacts(kit), "get-it", ["a", "b"])
    assert folder == kit.home.local / "script/get-it"
    made = description(folder)
    assert made["alias"] == "get-it" and made["automation_uid"] == SCRIPT_UID and made["tags"] == ["a", "b"]
    hooks = {node.name for node in ast.parse(HOOKS).body if isinstance(node, ast.FunctionDef)}
    assert hooks == {"preprocess", "postprocess"} and (folder / "customize.py").read_text() == HOOKS
    done = subprocess.run(["bash", str(folder / "run.sh")], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("running ")


def test_it_is_found_at_once_and_runs(kit: Kit) -> None:
    add_recipe(artifacts(kit), "get-it", [])
    assert kit.run("get,it")["return"] == 0


def test_it_goes_into_the_repository_that_is_named_with_the_uid_that_is_given(kit: Kit) -> None:
    folder = add_recipe(artifacts(kit), "tests@small:mine,00000000000000ff", ["a"])
    assert folder == kit.repository / "script/mine" and description(folder)["uid"] == "00000000000000ff"


@pytest.mark.parametrize("name", ["", "tests@small:", ",00000000000000ff"])
def test_without_a_name_there_is_none(name: str, kit: Kit) -> None:
    with pytest.raises(RecipeFault, match="needs a name") as caught:
        add_recipe(artifacts(kit), name, [])
    assert caught.value.code == 1


def test_one_that_is_there_is_left_alone(kit: Kit) -> None:
    folder = add_recipe(artifacts(kit), "mine", [])
    (folder / "run.sh").write_text("changed")
    with pytest.raises(RecipeFault, match=r"(?s)already exists.*try: give it another name") as caught:
        add_recipe(artifacts(kit), "mine", [])
    assert caught.value.code == 8 and (folder / "run.sh").read_text() == "changed"


def test_a_repository_that_is_not_there_is_a_fault(kit: Kit) -> None:
    with pytest.raises(RecipeFault):
        add_recipe(artifacts(kit), "nobody@nothing:mine", [])


NUMBERS = itertools.count()
TAG = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=6)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TAG, min_size=1, max_size=3))
def test_tags_of_any_letters_are_read_back(kit: Kit, tags: list[str]) -> None:
    folder = add_recipe(artifacts(kit), f"n-{next(NUMBERS)}", tags)
    assert description(folder)["tags"] == tags
