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


@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "a = {{{} = 1}}", "x = 1\n{} = 1"])
def test_a_name_of_endlessly_many_parts_is_refused_before_it_is_read(form: str) -> None:
    with pytest.raises(ValueError, match="a name of more than 200 parts"):
        toml_text.parse(form.format(".".join("a" * 100_000)))
    assert toml_text.parse(form.format(".".join("a" * 20)))


def test_many_numbers_on_one_line_are_no_name() -> None:
    assert len(toml_text.parse(f"a = [{', '.join(['0.5'] * 1000)}]")["a"]) == 1000
