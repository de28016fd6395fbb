from __future__ import annotations

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf import workloads
from assay.mlperf.data.dataset import Schema
from assay.mlperf.workloads import likeness


@pytest.mark.parametrize(
    ("name", "rows", "eos_id", "said"),
    [
        ("llama3.1-8b", 13368, 128009, ""),
        ("llama3.1-8b", 13368, 128001, ""),
        ("llama3.1-8b", 10, None, ""),
        ("gptj-99", 13368, 50256, ""),
        ("gptj-99", 13368, 128009, "the tokenizer ends answers with token 128009, gptj-99 with 50256"),
        ("llama3.1-8b", 5000, 128009, "5,000 rows are the whole set of llama3.1-8b-edge, not of llama3.1-8b"),
        ("gpt-oss-120b", 4395, 200002, ""),
        ("mixtral-nano", 300, 2, ""),
    ],
)
def test_signs_of_another_workload(name: str, rows: int, eos_id: int | None, said: str) -> None:
    assert likeness.unlike(workloads.get(name), rows, eos_id) == ([said] if said else [])


@pytest.mark.parametrize(
    ("rows", "eos_id", "named"),
    [
        (13368, 128009, "llama3.1-8b"),
        (5000, 128009, "llama3.1-8b-edge"),
        (13368, 50256, "gptj-99"),
        (8313, None, "llama3.1-405b"),
        (10, 128009, "llama3.1-8b or llama3.1-8b-edge or llama3.1-405b"),
    ],
)
def test_of_workloads_with_rows_of_one_form_those_are_named_that_are_like_them(
    rows: int, eos_id: int | None, named: str
) -> None:
    def read(schema: Schema) -> int:
        if schema == workloads.USUAL.schema:
            raise ArtifactError("no rows of it")
        return rows

    with pytest.raises(ArtifactError) as caught:
        workloads.by_schema(None, read, lambda one, found: not likeness.unlike(one, found, eos_id))
    assert set(caught.value.hint.split(":")[0].removeprefix("--workload ").split(" or ")) == set(
        named.split(" or ")
    )
