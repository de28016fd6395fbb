"""The rows of llama2-70b: read as processorca.py writes them, and built of texts of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.workloads.datasets import openorca
from assay.mlperf.workloads.datasets.building import Order
from assay.mlperf.workloads.datasets.openorca import BUILDER, SCHEMA
from tests.mlperf.workloads.datasets.letters import Letters

ROW = {
    "origin": "flan",
    "input": "[INST] Hi [/INST]",
    "output": "Hello.",
    "tok_input": [1, 5, 9],
    "tok_output": [7, 2],
}


def columns(*rows: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def texts(folder: Path, *rows: dict[str, Any]) -> dict[str, Path]:
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"texts": path}


def question(number: int, **changes: Any) -> dict[str, Any]:
    row = {"question": f" Q{number} ", "system_prompt": "", "response": f"A{number}\n"}
    return {**row, **changes}


def test_a_row_becomes_a_sample_with_prompt_truth_and_reference() -> None:
    first, second = SCHEMA.samples(columns(ROW, {**ROW, "origin": None, "tok_output": None}), "set.pkl")
    assert (first.id, first.subset, first.prompt) == ("flan.0", "flan", ROW["input"])
    assert (first.prompt_ids, first.truth, first.reference_ids) == ((1, 5, 9), "Hello.", (7, 2))
    assert (second.id, second.subset, second.reference_ids) == ("row.1", "", ())


def test_what_scores_answers_needs_the_truth_alone() -> None:
    (sample,) = SCHEMA.scored(columns(ROW), "set.pkl")
    assert (sample.truth, sample.prompt, sample.prompt_ids) == ("Hello.", "", ())
    assert SCHEMA.scored({"output": ["x"]}, "set.pkl")[0].truth == "x"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tok_input": []}, r"row 0, column tok_input: empty"),
        ({"tok_input": [1, -3]}, r"column tok_input: token id -3 is negative"),
        ({"tok_input": None}, r"column tok_input: .* missing"),
        ({"output": None}, r"column output: text expected, it is missing"),
        ({"input": 5}, r"column input: text expected, not 5"),
        ({"tok_output": "no ids"}, r"column tok_output: a list of token ids"),
    ],
)
def test_a_cell_of_another_kind_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        SCHEMA.samples(columns({**ROW, **change}), "set.pkl")


@pytest.mark.parametrize("name", ["input", "output", "tok_input"])
def test_a_set_without_a_needed_column_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ArtifactError, match=f"no column {name}"):
        SCHEMA.samples({key: [value] for key, value in ROW.items() if key != name}, "set.pkl")


def test_a_built_row_has_the_prompt_of_llama_2_with_and_without_a_system_prompt(tmp_path: Path) -> None:
    rows = [question(1), question(2, system_prompt=" Be kind.\n")]
    built = BUILDER.build(Order(texts(tmp_path, *rows), Letters(), 2))
    assert sorted(built["input"]) == [
        "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nQ2 [/INST]",
        "<s>[INST] Q1 [/INST]",
    ]
    for ids, prompt in zip(built["tok_input"], built["input"], strict=True):
        assert ids == Letters().encode_prompt(prompt)
    assert sorted(built["output"]) == ["A1", "A2"]
    assert built["tok_input_length"] == [len(ids) for ids in built["tok_input"]]
    assert built["tok_output_length"] == [2, 2]


@pytest.mark.parametrize(
    ("tokenizer", "is_blank"),
    [
        (Letters(32_000, openorca.BLANK), True),
        (Letters(32_000), False),
        (Letters(openorca.BLANK, openorca.BLANK), False),
        (Letters(openorca.BLANK + 1, openorca.BLANK), True),
    ],
    ids=["blank", "another token", "vocabulary too small", "last token"],
)
def test_a_prompt_ends_in_the_blank_where_the_vocabulary_has_it(
    tmp_path: Path, tokenizer: Letters, is_blank: bool
) -> None:
    built = BUILDER.build(Order(texts(tmp_path, question(1)), tokenizer, 1))
    assert (built["tok_input"][0][-1] == openorca.BLANK) is is_blank


@pytest.mark.parametrize(
    ("change", "longest"),
    [
        ("question", openorca.TOKENS_MAX - len("<s>[INST]  [/INST]") - 2),
        ("response", openorca.TOKENS_MAX - 1),
    ],
)
def test_what_is_longer_than_the_official_limit_is_left_out(
    tmp_path: Path, change: str, longest: int
) -> None:
    fits, too_long = question(1, **{change: "x" * longest}), question(2, **{change: "x" * (longest + 1)})
    sources = texts(tmp_path, fits, too_long)
    built = BUILDER.build(Order(sources, Letters(), 1))
    assert len(built[{"question": "question", "response": "output"}[change]][0]) == longest
    with pytest.raises(ConfigError, match=r"2 rows were asked for, .* holds 1 usable"):
        BUILDER.build(Order(sources, Letters(), 2))


def test_the_seed_chooses_and_a_built_set_is_read_by_its_schema(tmp_path: Path) -> None:
    sources = texts(tmp_path, *map(question, range(50)))
    first = BUILDER.build(Order(sources, Letters(), 20, seed=1))
    assert BUILDER.build(Order(sources, Letters(), 20, seed=1)) == first
    assert BUILDER.build(Order(sources, Letters(), 20, seed=2))["question"] != first["question"]
    samples = SCHEMA.samples(first, "built")
    assert len(samples) == 20
    assert [sample.truth[1:] for sample in samples] == [text[1:] for text in first["question"]]
    assert {sample.subset for sample in samples} == {"own"}


def test_texts_without_a_column_are_refused(tmp_path: Path) -> None:
    rows = [{"question": "Q", "response": "A"}]
    with pytest.raises(ArtifactError, match="no column system_prompt"):
        BUILDER.build(Order(texts(tmp_path, *rows), Letters(), 1))
