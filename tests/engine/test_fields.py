"""Fields of a config.json, each with its type; what is wrong is named by file, field and value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.fields import Fields
from assay.ground.errors import ConfigError

JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.integers(), max_size=2)
)


def fields(**tree: Any) -> Fields:
    return Fields(tree, "m/config.json")


@pytest.mark.parametrize(("value", "least"), [(1, 1), (7, 1), (0, 0), (7, 0)])
def test_whole_numbers_from_their_least(value: int, least: int) -> None:
    found = fields(n=value)
    assert (found.positive if least else found.count)("n") == value


@pytest.mark.parametrize("value", [None, "absent"])
def test_an_absent_or_null_number_is_its_default(value: object) -> None:
    found = fields() if value == "absent" else fields(n=value)
    assert (found.positive("n", 5), found.count("n", 0)) == (5, 0)
    with pytest.raises(ConfigError, match=r"m/config\.json: n is None, expected a positive whole number"):
        found.positive("n")


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", True, [1]])
def test_what_is_no_positive_number_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"n is .*, expected a positive whole number"):
        fields(n=value).positive("n", 3)


def test_a_default_is_held_to_the_limit_too() -> None:
    with pytest.raises(ConfigError, match=r"n is 0, expected a positive"):
        fields().positive("n", 0)


@pytest.mark.parametrize(("value", "found"), [(1e-5, 1e-5), (10000, 10000.0), (0.5, 0.5)])
def test_a_number_is_a_float(value: float, found: float) -> None:
    read = fields(eps=value).number("eps")
    assert read == found and type(read) is float
    assert fields().number("eps", 2) == 2.0


@pytest.mark.parametrize("value", [0, -1.0, float("inf"), float("nan"), "1", True, None])
def test_what_is_no_positive_finite_number_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"eps is .*, expected a positive number"):
        fields(eps=value).number("eps", 1.0)


def test_a_flag_is_what_it_says_or_its_default() -> None:
    assert fields(tie=True).flag("tie") and not fields(tie=None).flag("tie", True)
    assert fields().flag("tie", True) and not fields().flag("tie")


@pytest.mark.parametrize(("value", "found"), [(2, (2,)), ([2, 3], (2, 3)), ([], ()), (None, ()), (0, (0,))])
def test_ids_are_one_or_a_list(value: object, found: tuple[int, ...]) -> None:
    assert fields(eos=value).ids("eos") == found
    assert fields().ids("eos") == ()


@pytest.mark.parametrize("value", ["2", 2.0, True, [2, "3"], [True], {"a": 1}])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"eos is .*, expected a token id or a list of them"):
        fields(eos=value).ids("eos")


def test_the_first_object_that_holds_anything_is_taken_and_keeps_its_file() -> None:
    tree = fields(old={}, rope=None, scaling={"factor": 2}, text={"factor": 3})
    assert tree.within("rope", "old", "scaling", "text").positive("factor") == 2
    assert tree.within("text", "scaling").positive("factor") == 3
    empty = tree.within("rope", "nothing")
    assert empty.tree == {} and empty.where == "m/config.json"
    with pytest.raises(ConfigError, match="rope is 3, expected an object"):
        fields(rope=3).within("rope")


@given(JSON)
def test_any_value_is_read_or_refused_with_the_file(value: Any) -> None:
    found = fields(x=value)
    for read in (found.positive, found.count, found.number, found.ids, found.within):
        try:
            read("x")
        except ConfigError as refused:
            assert refused.message.startswith("m/config.json: x is ")
