"""A tree of values as rows with dotted names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report.flat import leaves


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (1, [("", "1")]),
        (None, [("", "")]),
        ({}, []),
        ({"a": None, "b": False}, [("a", ""), ("b", "False")]),
        ({"a": {"b": {"c": 1.5}}, "d": "x"}, [("a.b.c", "1.5"), ("d", "x")]),
        ({"a": [1, "x", None]}, [("a", "1, x, None")]),
        ({"a": []}, [("a", "")]),
        ({1: {2: 3}}, [("1.2", "3")]),
        ({"a": {}}, []),
    ],
)
def test_each_value_has_a_row(value: Any, rows: list[tuple[str, str]]) -> None:
    assert leaves(value) == rows


def test_the_name_of_the_whole_stands_in_front() -> None:
    assert leaves({"a": 1}, "asked") == [("asked.a", "1")] and leaves(2, "asked") == [("asked", "2")]


TREE = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, min_size=1, max_size=3),
    max_leaves=10,
)


@given(TREE)
def test_the_rows_are_the_tree(tree: Any) -> None:
    rows = leaves(tree)
    assert len({name for name, _ in rows}) == len(rows)
    for name, text in rows:
        found = tree
        for key in name.split(".") if name else ():
            found = found[key]
        assert str(found) == text
