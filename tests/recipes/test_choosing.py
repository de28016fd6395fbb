"""Which of several recipes is taken: the remembered one, the cached one, the user's choice."""

from __future__ import annotations

import pytest

from assay.recipes.contract.flags import Flags
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.model.selection import Selection
from assay.recipes.run.choosing import Chooser
from tests.recipes.conftest import Kit

TAGS = Selection.parse("get,tool")


@pytest.fixture
def two(kit: Kit) -> Kit:
    kit.recipe("tool-a", tags=["get", "tool"])
    kit.recipe("tool-b", tags=["get", "tool"])
    return kit


def chooser(kit: Kit) -> Chooser:
    kit.home.changed()
    return Chooser(Index(kit.home), kit.console)


def flags(**given: object) -> Flags:
    return Flags.read(given, {}, "CM_", strict=False)


def test_one_recipe_needs_no_choice(kit: Kit) -> None:
    kit.recipe("tool-a", tags=["get", "tool"])
    assert chooser(kit).recipe(TAGS, "", flags()).alias == "tool-a"
    assert kit.console.questions == []


@pytest.mark.parametrize(
    ("answer", "alias"),
    [
        ("1", "tool-b"),
        ("0", "tool-a"),
        ("", "tool-a"),
        ("x", "tool-a"),
        ("7", "tool-a"),
        ("-1", "tool-a"),
    ],
)
def test_the_user_chooses_and_a_strange_answer_is_the_first(answer: str, alias: str, two: Kit) -> None:
    two.console.answers = [answer]
    assert chooser(two).recipe(TAGS, "", flags()).alias == alias
    assert len(two.console.questions) == 1


def test_a_choice_is_remembered_within_the_run_unless_that_is_switched_off(two: Kit) -> None:
    made = chooser(two)
    two.console.answers = ["1"]
    made.recipe(TAGS, "", flags())
    assert made.recipe(Selection.parse("tool,get"), "", flags()).alias == "tool-b"
    assert len(two.console.questions) == 1
    assert [shown["tags"] for shown in made.shown] == ["get,tool"]


def test_nobody_to_ask_is_an_error_with_a_way_out(two: Kit) -> None:
    with pytest.raises(
        RecipeFault, match='more than one script for "get tool" and nobody to choose'
    ) as error:
        chooser(two).recipe(TAGS, "", flags())
    assert "--quiet" in error.value.hint


def test_quiet_takes_the_first(two: Kit) -> None:
    assert chooser(two).recipe(TAGS, "", flags(quiet=True)).alias == "tool-a"
    assert two.console.questions == []
