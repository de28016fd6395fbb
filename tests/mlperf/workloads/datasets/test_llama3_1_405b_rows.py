"""The rows of llama3.1-405b, each with the way in which its answer is judged."""

from __future__ import annotations

from typing import Any

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.workloads.datasets.llama3_1_405b_rows import NEEDLE, QUESTION, ROUGE, SCHEMA, SUBSETS

ROW = {
    "metric": QUESTION,
    "gt_output": "Rome",
    "input": "Where?",
    "tok_input": [3, 4],
    "tok_ref_output": [5],
}


def columns(*rows: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_rows_become_samples_of_their_kind() -> None:
    samples = SCHEMA.samples(columns(*({**ROW, "metric": kind} for kind in SUBSETS)), "set.pkl")
    assert [sample.subset for sample in samples] == [ROUGE, NEEDLE, QUESTION]
    assert [sample.id for sample in samples] == ["rouge.0", "niah_em.1", "qa_em.2"]
    assert (samples[2].prompt, samples[2].truth, samples[2].prompt_ids) == ("Where?", "Rome", (3, 4))
    assert samples[2].reference_ids == (5,)


def test_the_text_of_the_prompt_and_the_reference_may_be_missing() -> None:
    (sample,) = SCHEMA.samples({"metric": [ROUGE], "gt_output": ["x"], "tok_input": [[1]]}, "set.pkl")
    assert (sample.prompt, sample.reference_ids) == ("", ())


def test_answers_are_scored_without_prompts() -> None:
    (sample,) = SCHEMA.scored(columns({**ROW, "tok_input": None, "input": 3}), "set.pkl")
    assert (sample.truth, sample.subset, sample.prompt_ids, sample.prompt) == ("Rome", QUESTION, (), "")


@pytest.mark.parametrize("ids", [None, []])
def test_a_run_needs_token_ids_in_every_row(ids: object) -> None:
    with pytest.raises(ArtifactError, match=r"set\.pkl: row 1, column tok_input: no token ids"):
        SCHEMA.samples(columns(ROW, {**ROW, "tok_input": ids}), "set.pkl")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "exact"}, "'exact' is none of rouge, niah_em, qa_em"),
        ({"metric": None}, "None is none of"),
        ({"gt_output": None}, "column gt_output: text expected, it is missing"),
        ({"tok_ref_output": [-1]}, "column tok_ref_output: token id -1 is negative"),
    ],
)
def test_a_cell_of_another_kind_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        SCHEMA.samples(columns({**ROW, **change}), "set.pkl")


def test_a_set_without_token_ids_can_be_scored_and_not_run() -> None:
    held = {"metric": [ROUGE], "gt_output": ["x"]}
    assert SCHEMA.scored(held, "set.pkl")[0].truth == "x"
    with pytest.raises(ArtifactError, match="no column tok_input"):
        SCHEMA.samples(held, "set.pkl")
