"""The rows of CNN/DailyMail: read as download_cnndm.py writes them, and built of texts of one's own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.workloads.datasets import cnndm
from assay.mlperf.workloads.datasets.building import Order
from assay.mlperf.workloads.datasets.cnndm import ArticlePrompt
from tests.mlperf.workloads.datasets.letters import Letters

SCHEMA = cnndm.schema("gptj-99")
PROMPT = ArticlePrompt("Sum up: {input} Now:", "Sum up", most_tokens=40)
ROW = {"input": "An article.", "output": "A summary.", "tok_input": [4, 5], "tok_ref_output": [6]}


def texts(folder: Path, *rows: dict[str, Any]) -> dict[str, Path]:
    path = folder / "texts.json"
    path.write_text(json.dumps(rows))
    return {"texts": path}


def column(row: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [value] for name, value in row.items()}


def test_a_row_becomes_a_sample() -> None:
    (sample,) = SCHEMA.samples(column(ROW), "cnn.json")
    assert (sample.index, sample.id, sample.subset) == (0, "cnndm.0", "")
    assert (sample.prompt, sample.truth) == ("An article.", "A summary.")
    assert (sample.prompt_ids, sample.reference_ids, sample.stop_ids) == ((4, 5), (6,), ())


def test_without_a_reference_echo_has_nothing_to_say() -> None:
    row = {name: value for name, value in ROW.items() if name != "tok_ref_output"}
    assert SCHEMA.samples(column(row), "cnn.json")[0].reference_ids == ()


def test_scoring_looks_at_the_texts_alone() -> None:
    (sample,) = SCHEMA.scored(column({**ROW, "tok_input": "no ids", "tok_ref_output": 3}), "cnn.json")
    assert (sample.truth, sample.prompt_ids, sample.reference_ids) == ("A summary.", (), ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tok_input": []}, "row 0, column tok_input: empty"),
        ({"tok_input": [2**31]}, "row 0, column tok_input"),
        ({"input": None}, "column input: text expected, it is missing"),
        ({"output": 3}, "column output: text expected, not 3"),
    ],
)
def test_a_cell_of_another_kind_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        SCHEMA.samples(column({**ROW, **change}), "cnn.json")


def test_a_missing_column_is_refused_with_the_command_that_makes_a_set() -> None:
    with pytest.raises(ArtifactError, match="no column tok_input") as refused:
        SCHEMA.samples({"input": ["a"], "output": ["b"]}, "cnn.json")
    assert "assay dataset build --workload gptj-99" in refused.value.hint


@pytest.mark.parametrize("names", cnndm.NAMES)
def test_articles_are_found_under_either_name_and_read_again(tmp_path: Path, names: tuple[str, str]) -> None:
    rows = [dict(zip(names, (f"text {i}", f"sum {i}"), strict=True)) for i in range(9)]
    built = cnndm.builder(PROMPT).build(Order(texts(tmp_path, *rows), Letters(), 9))
    assert sorted(built["input"]) == [f"text {i}" for i in range(9)]
    assert built["instruction"] == ["Sum up"] * 9
    for sample in SCHEMA.samples(built, "built"):
        assert sample.prompt_ids == tuple(Letters().encode_prompt(f"Sum up: {sample.prompt} Now:"))
        assert sample.truth == sample.prompt.replace("text", "sum")
        assert sample.reference_ids == tuple(map(ord, sample.truth))


@pytest.mark.parametrize(("letters", "fits"), [(26, True), (27, False)])
def test_a_prompt_above_the_limit_is_left_out_or_cut(tmp_path: Path, letters: int, fits: bool) -> None:
    sources = texts(tmp_path, {"article": "x" * letters, "highlights": "y"})
    order = Order(sources, Letters(), 1)
    if fits:
        assert len(cnndm.builder(PROMPT).build(order)["tok_input"][0]) == PROMPT.most_tokens
    else:
        with pytest.raises(ConfigError, match=r"1 rows were asked for, .* holds 0 usable"):
            cnndm.builder(PROMPT).build(order)
    (ids,) = cnndm.builder(replace(PROMPT, is_cut=True)).build(order)["tok_input"]
    assert ids == Letters().encode_prompt(f"Sum up: {'x' * letters} Now:")[: PROMPT.most_tokens]


def test_the_seed_chooses_the_articles(tmp_path: Path) -> None:
    sources = texts(tmp_path, *({"article": f"a{i}", "highlights": f"h{i}"} for i in range(60)))
    build = cnndm.builder(PROMPT).build
    first = build(Order(sources, Letters(), 20, seed=5))
    assert build(Order(sources, Letters(), 20, seed=5)) == first
    assert build(Order(sources, Letters(), 20, seed=6))["input"] != first["input"]
    assert [text[1:] for text in first["output"]] == [text[1:] for text in first["input"]]


def test_texts_without_articles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no column article, highlights"):
        cnndm.builder(PROMPT).build(Order(texts(tmp_path, {"text": "x"}), Letters(), 1))
