"""How long a cache entry may be used, as MLC writes it."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.errors import RecipeFault
from assay.recipes.model.expiry import SECONDS, seconds


@pytest.mark.parametrize("nothing", [None, "", "  ", 0, False])
def test_no_duration_is_none(nothing: Any) -> None:
    assert seconds(nothing) == 0


@given(st.integers(0, 10**6), st.sampled_from(sorted(SECONDS)), st.sampled_from(["", " "]))
def test_a_count_and_a_unit_are_that_many_seconds(count: int, unit: str, blank: str) -> None:
    assert (
        seconds(f"{count}{blank}{unit}")
        == seconds(f" {count}{blank}{unit.upper()} ")
        == count * SECONDS[unit]
    )
    assert seconds(str(count)) == count


@pytest.mark.parametrize(
    "bad", ["1x", "-1d", "1.2.3", "1.2.3d", "d", "1 d d", "²", "1²", "inf", "nan", ".", "1e3"]
)
def test_what_is_no_duration_is_a_fault_with_the_way_to_write_one(bad: str) -> None:
    with pytest.raises(RecipeFault, match="is no duration") as caught:
        seconds(bad)
    assert caught.value.code == 1 and "30m" in caught.value.hint


@given(st.text(max_size=6))
def test_any_text_is_a_duration_or_a_fault(text: str) -> None:
    with contextlib.suppress(RecipeFault):
        assert math.isfinite(seconds(text)) and seconds(text) >= 0
