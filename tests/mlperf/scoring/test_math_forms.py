r"""Two spellings of one mathematical answer become one. The pairs follow prm800k's math_normalize and grader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.mlperf.scoring import math_forms as forms

WHOLE = st.integers(1 - 10**9, 10**9 - 1)
"""Up to three groups: the grader leaves the second of three commas, and so do we."""


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        (r"\frac12", r"\frac{1}{2}"),
        (r"\frac1{72}", r"\frac{1}{72}"),
        (r"\tfrac{3}{4}", r"\frac{3}{4}"),
        (r"\dfrac34 x", r"\frac{3}{4}x"),
        (r"\sqrt3", r"\sqrt{3}"),
        (r"2\sqrt{3} + \sqrt5", r"2\sqrt{3}+\sqrt{5}"),
        (r"\text{Monday}", "Monday"),
        (r" \text{ Monday } ", "Monday"),
        (r"5\text{ cm}", "5"),
        (r"\left( 1, 2 \right)", "(1,2)"),
        (r"90^\circ", "90"),
        (r"90^{\circ}", "90"),
        (r"\$12\%", "12"),
        ("1\\!000\n", "1000"),
        (".5", r"\frac{1}{2}"),
        ("0.25", "0.25"),
        ("a + .5", "a+0.5"),
        (r"\frac{.5}{x}", r"\frac{0.5}{x}"),
        ("x = 7", "7"),
        ("abc = 7", "abc=7"),
        ("x=y=7", "x=y=7"),
        ("3/4", r"\frac{3}{4}"),
        ("-3/4", r"\frac{-3}{4}"),
        ("03/4", "03/4"),
        ("a/4", "a/4"),
        ("1/2/3", "1/2/3"),
        (r"a b \frac1", r"ab\frac1"),
        ("", ""),
        (r"\!", ""),
    ],
)
def test_latex_has_one_way_to_write_it(written: str, spelled: str) -> None:
    assert forms.latex_spelling(written) == spelled


@pytest.mark.parametrize("written", [r"\sqrt", r"3 \frac", r"\frac1", r"5\text{ cm} or 6\text{ cm}"])
def test_latex_that_cannot_be_spelled_stays_as_it_is(written: str) -> None:
    assert forms.latex_spelling(written) == written


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_fraction_is_one_however_it_is_written(above: int, below: int) -> None:
    ways = (
        f"{above}/{below}",
        rf"\frac{above}{below}",
        rf"\frac{{{above}}}{{{below}}}",
        rf"\dfrac{above}{below}",
        rf"\tfrac{{{above}}}{{{below}}}",
    )
    assert len({forms.latex_spelling(way) for way in ways}) == 1
    assert forms.plain_spelling(rf"\dfrac{{{above}}}{{{below}}}") == f"{above}/{below}"


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("12,345", "12345"),
        ("12,345.0", "12345"),
        ("3.00000001", "3"),
        ("3.001", "3.001"),
        ("3 meters", "3"),
        ("12 cm^2", "12"),
        ("6 inches", "6"),
        ("two feet", "two"),
        ("5 million", "5*10^6"),
        ("50%", "50"),
        (r"\$50", "50"),
        ("2 or 3", "2,3"),
        ("2 and 3", "2,3"),
        ("{7}", "7"),
        ("X + Y", "x+y"),
        ("- 3", "-3"),
        ("1 1/2", "1+1/2"),
        (r"1\frac{1}{2}", "1+1/2"),
        (r"\tfrac{1}{2}", "1/2"),
        (r"\sqrt{2}", "sqrt(2)"),
        (r"2\pi", "2pi"),
        (r"3 \cdot 4", "3*4"),
        (r"\infty", "inf"),
        (r"90^ \circ", "90"),
        (r"10,\! 000", "10000"),
        (r"\text{Noon}", "noon"),
        ("Monday", "mon"),  # units go wherever they stand, as in the grader
        ("", ""),
    ],
)
def test_plain_text_has_one_way_to_write_it(written: str, spelled: str) -> None:
    assert forms.plain_spelling(written) == spelled


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        ("7", True),
        ("-7.0", True),
        ("1,234,567", True),
        ("1e3", True),
        ("2.0000001", True),
        ("2.000001", False),
        ("1,23", False),
        ("x", False),
        ("", False),
        ("inf", False),
        ("nan", False),
        ("1e999", False),
    ],
)
def test_what_counts_as_a_whole_number(text: str, is_whole: bool) -> None:
    assert forms.is_integer(text) is is_whole


@given(WHOLE)
def test_the_commas_of_groups_go(number: int) -> None:
    assert forms.without_group_commas(f"{number:,}") == str(number)
    assert forms.plain_spelling(f"{number:,}") == str(number)
    assert forms.is_integer(f"{number:,}")


@pytest.mark.parametrize("text", ["1,2,3", "(1,23)", "1,2345", "a,123", "1, 234", "1000,000000"])
def test_the_commas_of_a_list_stay(text: str) -> None:
    assert forms.without_group_commas(text) == text


@given(st.text(alphabet="\\frac sqrt{}text 12,/.=$%-^", max_size=24))
def test_no_text_is_too_broken_to_be_spelled(text: str) -> None:
    assert isinstance(forms.latex_spelling(text), str)
    assert isinstance(forms.plain_spelling(text), str)


@pytest.mark.parametrize("text", [r"\sqrt", r"\href", r"\begin{array"])
def test_latex_that_its_reader_refuses_is_compared_as_it_stands(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert forms.plain_spelling(text) == text.replace("{", "")
    assert not caplog.records
