from __future__ import annotations

from typing import Any

import pytest

from assay.recipes.errors import RecipeFault
from assay.recipes.home.load import load_recipe
from assay.recipes.model.env import Env
from assay.recipes.model.resolve import resolve
from assay.recipes.model.resolved import ResolvedRecipe, Scope
from tests.recipes.conftest import Kit


def resolved(kit: Kit, *variations: str, env: dict[str, Any] | None = None, **inputs: Any) -> ResolvedRecipe:
    index = kit.context().index
    recipe = load_recipe(index, index.find("script", "tool", "")[0])
    return resolve(recipe, variations, inputs, Scope(Env(env or {})))


def test_the_caller_goes_before_defaults_and_the_recipe_before_the_caller(kit: Kit) -> None:
    kit.recipe("tool", default_env={"A": "default", "B": "default"}, env={"C": "recipe"})
    assert dict(resolved(kit, env={"A": "caller", "C": "caller"}).env) == {
        "A": "caller",
        "B": "default",
        "C": "recipe",
    }


def test_inputs_that_the_recipe_maps_go_before_its_env_and_variations_before_those(kit: Kit) -> None:
    variations = {"a": {"env": {"B": "a"}}}
    kit.recipe(
        "tool", env={"A": "recipe", "B": "recipe"}, input_mapping={"a": "A", "b": "B"}, variations=variations
    )
    found = resolved(kit, "a", a="input", b="input").env
    assert (found["A"], found["B"]) == ("input", "a")
    assert found.origin["B"] == "variation _a"


def test_a_combination_is_applied_when_all_its_members_are_selected(kit: Kit) -> None:
    both = {"a": {}, "b": {}, "a,b": {"env": {"BOTH": "yes"}}}
    kit.recipe("tool", variations=both)
    assert "BOTH" not in resolved(kit, "a").env
    assert resolved(kit, "a", "b").env["BOTH"] == "yes"


def test_a_variation_with_a_free_end_has_it_in_its_texts(kit: Kit) -> None:
    kit.recipe("tool", variations={"size.#": {"env": {"SIZE": "#", "LIST": ["#-x"]}}})
    found = resolved(kit, "size.7").env
    assert (found["SIZE"], found["LIST"]) == ("7", ["7-x"])


def test_a_list_variable_without_a_list_is_refused(kit: Kit) -> None:
    kit.recipe("tool", env={"+PATH": "/x"})
    with pytest.raises(RecipeFault, match=r"\+PATH must hold a list"):
        resolved(kit)
