"""From requested variations to applied ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.errors import RecipeFault
from assay.recipes.model.variations import choose


def applied(variations: dict[str, Any], *requested: str, **meta: Any) -> list[str]:
    return list(choose({"variations": variations, **meta}, requested).applied)


def test_a_group_default_is_added_when_no_member_is_asked_for() -> None:
    group = {"a": {"group": "g", "default": True}, "b": {"group": "g"}}
    assert applied(group) == ["a"]


def test_a_group_default_is_dropped_when_another_member_is_asked_for() -> None:
    group = {"a": {"group": "g", "default": True}, "b": {"group": "g"}}
    assert applied(group, "b") == ["b"]


def test_an_excluded_default_is_not_added() -> None:
    group = {"a": {"group": "g", "default": True}, "b": {"group": "g"}}
    assert applied(group, "-a") == ["-a"]


def test_bases_come_after_and_bring_their_own_bases() -> None:
    assert applied({"a": {"base": ["b"]}, "b": {"base": ["c"]}, "c": {}}, "a") == ["a", "b", "c"]


def test_mlc_puts_bases_in_front() -> None:
    meta = {"variations": {"a": {"base": ["b"]}, "b": {}}}
    assert choose(meta, ["a"], bases_first=True).applied == ("b", "a")


def test_a_dynamic_base_is_left_out_when_one_of_its_prefix_is_there() -> None:
    variations = {"a": {"base": ["n.1"]}, "n.#": {}}
    assert applied(variations, "a") == ["a", "n.1"]
    assert applied(variations, "a", "n.2") == ["a", "n.2"]


def test_default_variations_fill_groups_that_were_empty_at_entry() -> None:
    variations = {"a": {"default_variations": {"g": "x"}}, "x": {"group": "g"}, "y": {"group": "g"}}
    assert applied(variations, "a") == ["a", "x"]
    assert applied(variations, "a", "y") == ["a", "y"]


def test_a_complete_combination_brings_its_default_variations() -> None:
    variations = {"a": {}, "b": {}, "a,b": {"default_variations": {"g": "x"}}, "x": {"group": "g"}}
    assert applied(variations, "a", "b") == ["a", "b", "x"]
    assert applied(variations, "a") == ["a"]


def test_an_alias_brings_its_variation() -> None:
    assert applied({"a": {"alias": "b"}, "b": {}}, "a") == ["a", "b"]


def test_the_default_variation_is_taken_only_for_an_empty_request() -> None:
    assert applied({"a": {}, "b": {}}, default_variation="a") == ["a"]
    assert applied({"a": {}, "b": {}}, "b", default_variation="a") == ["b"]


def test_the_reason_of_every_variation_is_known() -> None:
    meta = {"variations": {"a": {"base": ["b"]}, "b": {}, "d": {"group": "g", "default": True}}}
    assert choose(meta, ["a"]).reasons == {"a": "asked for", "b": "base of _a", "d": "default of the group g"}


@pytest.mark.parametrize(
    ("meta", "requested", "words"),
    [
        (
            {"variations": {"a": {"group": "g"}, "b": {"group": "g"}}},
            ["a", "b"],
            "two variations of the group",
        ),
        ({"variations": {"a": {"base": ["bb"]}, "bbb": {}}}, ["a"], "unknown"),
        ({"variations": {"a": {"base": ["b"]}, "b": {}}}, ["a", "-b"], "excluded"),
        ({"variations": {"a": {"default_variations": {"g": "x"}}}}, ["a"], "unknown group"),
        ({"variations": {"a": {"alias": "z"}}}, ["a"], "alias"),
        ({"variations": {"a": {}}, "invalid_variation_combinations": [["a"]]}, ["a"], "do not go together"),
        ({"variations": {"a": {}, "b": {}}, "valid_variation_combinations": [["a", "b"]]}, ["a"], "no valid"),
        (
            {"variations": {"a": {"group": "g", "default": 1}, "b": {"group": "g", "default": 1}}},
            [],
            "two defaults",
        ),
    ],
)
def test_what_does_not_go_together_is_an_error_1(
    meta: dict[str, Any], requested: list[str], words: str
) -> None:
    with pytest.raises(RecipeFault, match=words) as caught:
        choose(meta, requested)
    assert caught.value.code == 1


def test_an_unknown_base_is_answered_with_the_nearest() -> None:
    with pytest.raises(RecipeFault) as caught:
        choose({"variations": {"a": {"base": ["pytorh"]}, "pytorch": {}}}, ["a"])
    assert "did you mean pytorch" in caught.value.hint


NAMES = st.sampled_from("abcdef")
BLOCK = st.fixed_dictionaries(
    {},
    optional={
        "group": st.sampled_from(["g", "h"]),
        "base": st.lists(NAMES, max_size=2),
        "default_variations": st.dictionaries(st.sampled_from(["g", "h"]), NAMES, max_size=1),
    },
)


@given(st.dictionaries(NAMES, BLOCK, min_size=1), st.lists(NAMES, unique=True, max_size=3))
def test_a_choice_holds_what_was_asked_its_bases_and_one_member_of_a_group(
    variations: dict[str, Any], requested: list[str]
) -> None:
    requested = [name for name in requested if name in variations]
    try:
        choice = choose({"variations": variations}, requested)
    except RecipeFault:
        return
    have = set(choice.applied)
    assert set(requested) <= have <= set(variations)
    for name in have:
        assert set(variations[name].get("base") or []) <= have
        assert choice.reasons[name]
    again = choose({"variations": variations}, requested)
    assert again == choice
