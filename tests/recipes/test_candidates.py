"""Which recipes can answer a request, and what is offered where none can."""

from __future__ import annotations

import pytest

from assay.recipes.errors import RecipeFault, RecipeNotFound
from assay.recipes.home.candidates import candidates, unknown_variations
from assay.recipes.home.index import Index
from assay.recipes.model.selection import Selection
from tests.recipes.conftest import Kit


def index(kit: Kit) -> Index:
    return kit.context().index


def asked(tags: str) -> Selection:
    return Selection.parse(tags)


def test_recipes_with_the_tags_come_in_the_order_of_their_sort_value(kit: Kit) -> None:
    for name, sort in {"get-tool-late": 5, "get-tool-early": -1, "get-tool-none": None}.items():
        kit.recipe(name, **({} if sort is None else {"sort": sort}))
    kit.recipe("other")
    found = [recipe.alias for recipe in candidates(index(kit), asked("get,tool"))]
    assert found == ["get-tool-early", "get-tool-none", "get-tool-late"]


def test_only_recipes_that_know_every_variation_are_candidates(kit: Kit) -> None:
    kit.recipe("get-tool-a", variations={"cpu": {}})
    kit.recipe("get-tool-b", variations={"cuda": {}, "version.#": {}})
    assert [r.alias for r in candidates(index(kit), asked("get,tool,_cuda"))] == ["get-tool-b"]
    assert [r.alias for r in candidates(index(kit), asked("get,tool,_version.3"))] == ["get-tool-b"]
    (recipe,) = candidates(index(kit), asked("get,tool,_cpu"))
    assert unknown_variations(recipe, asked("get,_cpu,_cuda,-_other")) == ["cuda", "other"]


@pytest.mark.parametrize(
    ("tags", "words", "hint"),
    [
        (
            "get,tol",
            "with above tags (when variations ignored): get,tol",
            "tol: did you mean tool?",
        ),
        ("get,zzzzzz", "get,zzzzzz", "zzzzzz: no recipe has such a tag"),
        ("tool,other", "tool,other", "nearest: get,tool (get-tool)"),
        ("get,tool,_cdua", "get-tool has no _cdua", "did you mean _cuda?"),
        ("get,tool,_r5.0", "get-tool has no _r5.0", "one of: _r4.0, _r4.1"),
    ],
)
def test_where_none_fits_the_nearest_is_offered(tags: str, words: str, hint: str, kit: Kit) -> None:
    rounds = {f"r4.{n}": {"env": {"A": str(n)}} for n in range(2)}
    kit.recipe("get-tool", variations={"cuda": {}, "r4.9": {}, **rounds})
    kit.recipe("other")
    with pytest.raises(RecipeNotFound) as error:
        candidates(index(kit), asked(tags))
    assert words in error.value.message
    assert hint in error.value.hint


def test_a_home_without_recipes_says_how_to_get_some(kit: Kit) -> None:
    with pytest.raises(RecipeNotFound) as error:
        candidates(index(kit), asked("get,tool"))
    assert "pull repo OWNER@NAME" in error.value.hint


def test_a_name_that_two_recipes_have_is_refused_with_both_places(kit: Kit) -> None:
    first = kit.recipe("twin")
    second = kit.recipe("twin-2")
    description = second / "_cm.json"
    description.write_text(description.read_text().replace('"alias": "twin-2"', '"alias": "twin"'))
    with pytest.raises(RecipeFault, match="more than one recipe of the name twin") as error:
        candidates(index(kit), Selection.parse(""), "twin")
    assert str(first) in error.value.message and str(second) in error.value.message
