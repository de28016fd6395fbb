"""Rows with a question each, read by the names that a set gives its columns."""

from __future__ import annotations

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.workloads.datasets import question_rows
from assay.mlperf.workloads.datasets.question_rows import QuestionColumns

NAMES = QuestionColumns("kind", cells.text, "truth", cells.number_or_text, "text", "ids")


def test_a_row_is_a_sample_of_its_kind() -> None:
    columns = {"kind": ["a", "b"], "truth": [7, "x"], "ids": [[1, 2], [3]], "tok_ref_output": [[9], None]}
    first, second = question_rows.samples(columns, NAMES, 2, "set", is_run=True)
    assert (first.id, first.subset, first.truth, first.prompt_ids) == ("a.0", "a", "7", (1, 2))
    assert (second.id, second.prompt, second.reference_ids) == ("b.1", "", ())


def test_only_what_is_run_needs_the_ids_of_its_prompt() -> None:
    columns = {"kind": ["a"], "truth": ["x"], "ids": [None]}
    (scored,) = question_rows.samples(columns, NAMES, 1, "set", is_run=False)
    assert scored.prompt_ids == ()
    with pytest.raises(ArtifactError, match="set: row 0, column ids: no token ids"):
        question_rows.samples(columns, NAMES, 1, "set", is_run=True)
