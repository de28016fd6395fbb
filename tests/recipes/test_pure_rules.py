"""Merging, placeholders, conditions and versions: the small rules that everything else is made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.contract.merge import merge
from assay.recipes.model.conditions import all_hold, any_holds, applies
from assay.recipes.model.env import Env, exported
from assay.recipes.model.template import fill, filled
from assay.recipes.model.versions import Versions, asked, compare, pip_requirement


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [
        ({"l": [1]}, {"l": [1, 2]}, {"l": [1, 2]}),
        ({"a": {"l": [1]}}, {"a": {"l": [1, 2]}}, {"a": {"l": [1, 1, 2]}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_lists_are_united_at_the_top_and_appended_below(below: Any, above: Any, expected: Any) -> None:
    assert merge(below, above) == expected


def test_a_placeholder_without_a_value_is_left_standing() -> None:
    assert fill("<<<A>>>/<<<B>>>", {"A": "x"}) == "x/<<<B>>>"
    assert fill(["<<<A>>>", 1], {"A": "x"}) == ["x", 1]


def test_later_variables_see_earlier_ones_filled_in() -> None:
    env = {"A": "1", "B": "<<<A>>>2", "C": "<<<B>>>3"}
    assert filled(env, env) == {"B": "12", "C": "123"}


@pytest.mark.parametrize(
    ("condition", "env", "holds"),
    [
        ({"A": ["yes"]}, {"A": "anything"}, True),
        ({"A": ["yes"]}, {"A": "Off"}, False),
        ({"A": ["yes"]}, {}, False),
        ({"A": ["no"]}, {"A": ""}, True),
        ({"A": ["no"]}, {}, True),
        ({"A": [""]}, {}, True),
        ({"A": ["x", "y"]}, {"A": "Y"}, True),
        ({"A": [True]}, {"A": "on"}, True),
        ({}, {}, True),
    ],
)
def test_a_condition_holds_when_every_key_fits(condition: Any, env: Any, holds: bool) -> None:
    assert all_hold(condition, env) is holds


def test_in_the_any_form_an_absent_key_never_counts_and_nothing_holds_for_nothing() -> None:
    assert not any_holds({"A": ["no"]}, {})
    assert not any_holds({}, {})
    assert any_holds({"A": ["x"], "B": ["yes"]}, {"B": "1"})


def test_skip_wins_over_enable() -> None:
    entry = {"enable_if_env": {"A": ["yes"]}, "skip_if_env": {"B": ["yes"]}}
    assert applies(entry, {"A": "1"})
    assert not applies(entry, {"A": "1", "B": "1"})
    assert not applies({"skip_if_fake_run": True}, {}, fake_run=True)


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("1.10", "1.9", 1),
        ("1", "1.0.0", 0),
        ("1.0rc1", "1.0", -1),
        ("2.0.1rc1", "2.0.1rc2", -1),
        ("a", "1", -1),
    ],
)
def test_versions_are_ordered_by_their_numbers(left: str, right: str, order: int) -> None:
    assert compare(left, right) == order
    assert compare(right, left) == -order


WORD = st.from_regex(r"[0-9a-z]{0,3}(\.[0-9a-z]{0,3}){0,3}", fullmatch=True)


@given(WORD, WORD, WORD)
def test_the_order_of_versions_is_an_order(a: str, b: str, c: str) -> None:
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0


def test_a_default_version_is_moved_into_the_bounds() -> None:
    assert Versions(lowest="2").default("1") == "2"
    assert Versions(highest="3").default("4") == "3"
    assert Versions(highest="3", highest_usable="2.9").default("4") == "2.9"
    assert Versions().default("") == ""


def test_versions_come_from_the_input_then_the_environment_then_the_recipe() -> None:
    found = asked({"version": "1"}, {"CM_VERSION": "2", "CM_VERSION_MIN": "0"}, {"version_max": "9"}, "CM_")
    assert found == Versions("1", "0", "9", "")


@pytest.mark.parametrize(
    ("env", "text"),
    [
        ({"CM_VERSION": "1"}, "==1"),
        ({"CM_VERSION_MIN": "1", "CM_VERSION_MAX": "2"}, ">=1,<=2"),
        ({"CM_VERSION_MAX": "2"}, "<=2"),
        ({}, ""),
    ],
)
def test_bounds_are_written_as_pip_reads_them(env: dict[str, str], text: str) -> None:
    assert pip_requirement(env, "CM_") == text


def test_only_named_keys_are_handed_back_by_name_wildcard_or_reference() -> None:
    values = {"CM_A": 1, "CM_AB": 2, "X": 3, "NAME": "X"}
    assert exported(values, ["CM_A*"]) == {"CM_A": 1, "CM_AB": 2}
    assert exported(values, ["<<<NAME>>>", "absent"]) == {"X": 3}


def test_an_env_knows_who_wrote_each_key() -> None:
    env = Env({"A": "1"})
    with env.written_by("variation _v"):
        env.setdefault("A", "2")
        env["B"] = "3"
        env.update(C="4")
    env.refresh({"B": "5"})
    assert env == {"A": "1", "B": "5", "C": "4"}
    assert env.origin == {"A": "caller", "B": "variation _v", "C": "variation _v"}
