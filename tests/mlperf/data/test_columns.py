"""A column that no reader knows holds a value that says of which kind it is, and that no schema takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Unread


@pytest.mark.parametrize(
    "parse",
    [
        cells.text,
        cells.number_or_text,
        cells.token_ids,
        cells.token_ids_or_none,
        cells.prompt_ids,
        cells.one_of(("a",)),
    ],
)
def test_a_needed_column_of_an_unknown_kind_is_refused_with_its_kind(
    parse: Callable[[object], object],
) -> None:
    columns = {"input": [Unread("datetime64")]}
    with pytest.raises(ArtifactError, match=r"set\.pkl: row 0, column input: .*a value of datetime64"):
        list(cells.column(columns, "input", 1, "set.pkl", parse))


def test_values_of_one_kind_are_equal() -> None:
    assert Unread("object") == Unread("object") != Unread("complex")
