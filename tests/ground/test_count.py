from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ground.count import counted, number, size_text


@pytest.mark.parametrize(
    ("count", "nouns", "said"),
    [
        (1, ("sample",), "1 sample"),
        (0, ("sample",), "0 samples"),
        (300, ("sample",), "300 samples"),
        (1, ("entry", "entries"), "1 entry"),
        (2, ("entry", "entries"), "2 entries"),
    ],
)
def test_a_noun_is_in_the_plural_but_for_one(count: int, nouns: tuple[str, ...], said: str) -> None:
    assert counted(count, *nouns) == said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (45.142911, "45.143"),
        (100.0, "100"),
        (0.00012345678, "0.00012346"),
        (15000.0, "15000"),
        (123456.7, "123457"),
        (9_999_999.0, "9999999"),
        (12_345_678.0, "1.2346e+07"),
        (0.00001, "1.0000e-05"),
        (-72.5, "-72.5"),
    ],
)
def test_a_number_has_five_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(1e-4, 1e7, exclude_max=True))
def test_a_number_of_usual_size_is_near_and_has_no_exponent(value: float) -> None:
    text = number(value)
    assert float(text) == pytest.approx(value, rel=5.1e-5)
    assert "e" not in text or value >= 9_999_999.5


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (2_100_000, "2.1 MB"),
        (93_400_000_000, "93.4 GB"),
        (3e12, "3.0 TB"),
        (999_960_000, "1.0 GB"),
    ],
)
def test_a_size_is_in_the_largest_unit_of_which_there_is_one(count: float, text: str) -> None:
    assert size_text(count) == text
