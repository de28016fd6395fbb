from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.mlperf.rounds import toml_text


def test_plain_values_come_out() -> None:
    text = 'a = 1\n[b."c.d"]\ne = ["x", "y"]\nf = { g = 0.5 }\n'
    assert toml_text.parse(text) == {"a": 1, "b": {"c.d": {"e": ["x", "y"], "f": {"g": 0.5}}}}


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "[a]\n[a]", "a = " + "[" * 20_000, "\0", "= 1"])
def test_what_is_no_toml_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError):
        toml_text.parse(text)


@given(st.text(max_size=30))
def test_any_text_is_a_table_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(toml_text.parse(text), dict)
