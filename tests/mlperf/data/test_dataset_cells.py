from __future__ import annotations

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataset_cells as cells


def test_a_missing_column_is_named_with_the_nearest_or_the_hint() -> None:
    with pytest.raises(ArtifactError, match="no column capital; it has capitol") as near:
        cells.require({"capitol": ["Rome"]}, ("capital",), "set.jsonl", "build one")
    assert near.value.hint == "did you mean capitol?"
    with pytest.raises(ArtifactError) as far:
        cells.require({"x": ["Rome"]}, ("capital",), "set.jsonl", "build one")
    assert far.value.hint == "build one"


def test_a_dataset_without_rows_is_none() -> None:
    with pytest.raises(ArtifactError, match="no rows"):
        cells.require({"capital": []}, ("capital",), "set.jsonl", "")


def test_the_first_wrong_cell_is_named_with_its_row_and_column() -> None:
    column = cells.column({"capital": ["Rome", 3]}, "capital", 2, "set.jsonl", cells.text)
    with pytest.raises(ArtifactError, match=r"set\.jsonl: row 1, column capital: text expected, not 3"):
        list(column)


def test_a_column_that_is_not_there_is_none_in_each_row() -> None:
    assert list(cells.column({}, "ids", 2, "set", cells.token_ids_or_none)) == [(), ()]


@pytest.mark.parametrize("cell", [None, "12", [-1], [2**40], ["a"]])
def test_what_is_no_list_of_token_ids_is_refused(cell: object) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        cells.token_ids(cell)


def test_a_word_of_a_fixed_list_is_itself() -> None:
    assert cells.one_of(("a", "b"))("a") == "a"
    with pytest.raises(ValueError, match="'c' is none of a, b"):
        cells.one_of(("a", "b"))("c")
