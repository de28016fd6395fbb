"""Memory of the rows of a step: kept while steps need it, given back when they have not for a while."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import cast

import pytest

from assay.engine.ops.cpu.scratch import PATIENCE, Scratch


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(cast(ctypes.CDLL, SimpleNamespace(assay_huge_pages=lambda address, size: None)))


def held(scratch: Scratch, name: str) -> int:
    """Bytes that are kept under the name."""
    return scratch.take(name, (1,)).untyped_storage().nbytes()


def test_memory_of_rows_is_kept_and_a_larger_step_gets_more(scratch: Scratch) -> None:
    first = scratch.take("rows", (4, 8))
    assert scratch.take("rows", (2, 8)).data_ptr() == first.data_ptr()
    assert scratch.take("others", (4, 8)).data_ptr() != first.data_ptr()
    larger = scratch.take("rows", (5, 8))
    assert larger.shape == (5, 8) and larger.is_contiguous()


def test_what_one_large_step_needed_is_given_back_after_many_small_ones(scratch: Scratch) -> None:
    scratch.take("rows", (1000, 8))
    for rows in [200] + [100] * (PATIENCE - 2):
        assert scratch.take("rows", (rows, 8)).shape == (rows, 8)
        assert len(scratch._kept["rows"].memory) == 8000
    scratch.take("rows", (100, 8))
    assert held(scratch, "rows") == 4 * 200 * 8, "the largest of the small steps still fits"


def test_a_step_that_needs_it_again_keeps_it(scratch: Scratch) -> None:
    scratch.take("rows", (1000, 8))
    for _ in range(3 * PATIENCE):
        scratch.take("rows", (100, 8))
        scratch.take("rows", (501, 8))
    assert held(scratch, "rows") == 4 * 1000 * 8
