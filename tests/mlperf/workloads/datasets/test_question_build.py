"""Sets of questions built for the reasoning workloads are read by their schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf import workloads
from assay.mlperf.workloads.datasets import question_build
from assay.mlperf.workloads.datasets.building import Order
from tests.mlperf.workloads.datasets.letters import Letters


@pytest.mark.parametrize(
    ("name", "truth", "kind", "value"),
    [
        ("deepseek-r1", "ground_truth", "dataset", "aime"),
        ("gpt-oss-120b", "ground_truth", "dataset", "gpqa_diamond"),
        ("llama3.1-405b", "gt_output", "metric", "qa_em"),
    ],
)
def test_a_built_set_is_read_again(tmp_path: Path, name: str, truth: str, kind: str, value: str) -> None:
    path = tmp_path / "texts.jsonl"
    rows = [{"question": f"Q{i}", truth: str(i), kind: value, "answer": "ab"} for i in range(30)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    workload = workloads.get(name)
    assert workload.builder is not None
    columns = workload.builder.build(Order({"texts": path}, Letters(), 30))
    samples = workload.schema.samples(columns, "built")
    assert sorted(int(sample.truth) for sample in samples) == list(range(30))
    assert all(sample.prompt_ids == (1, *map(ord, sample.prompt)) for sample in samples)
    assert {sample.reference_ids for sample in samples} == {(97, 98)}
    with pytest.raises(ConfigError, match="31 rows were asked for"):
        workload.builder.build(Order({"texts": path}, Letters(), 31))


def test_texts_without_answers_make_the_set_of_performance_runs_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"question": f"Q{i}", "answer": "ab"}) + "\n" for i in range(3)))
    gpt_oss, deepseek = workloads.get("gpt-oss-120b"), workloads.get("deepseek-r1")
    assert gpt_oss.builder is not None and deepseek.builder is not None
    columns = gpt_oss.builder.build(Order({"texts": path}, Letters(), 3))
    assert sorted(columns) == ["input_tokens", "text_input", "tok_ref_output"]
    assert len(gpt_oss.schema.samples(columns, "built")) == 3
    with pytest.raises(ArtifactError, match="ground_truth, dataset"):
        deepseek.builder.build(Order({"texts": path}, Letters(), 3))


BUILDER = question_build.builder("right", "ids", "kind", "prompt")


def texts(path: Path, *rows: dict[str, object]) -> dict[str, Path]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"texts": path}


def test_rows_are_chosen_by_the_seed_and_keep_what_belongs_together(tmp_path: Path) -> None:
    sources = texts(
        tmp_path / "x.jsonl",
        *({"question": f"Q{i}", "right": i, "kind": f"k{i % 3}", "answer": i * 1.0} for i in range(40)),
    )
    first = BUILDER.build(Order(sources, Letters(), 12, seed=3))
    assert BUILDER.build(Order(sources, Letters(), 12, seed=3)) == first
    assert BUILDER.build(Order(sources, Letters(), 12, seed=4)) != first
    for prompt, ids, right, kind, answer in zip(
        *(first[name] for name in ("prompt", "ids", "right", "kind", "tok_ref_output")), strict=True
    ):
        number = int(prompt[1:])
        assert (right, kind) == (str(number), f"k{number % 3}")
        assert ids == [1, *map(ord, prompt)] and answer == list(map(ord, str(number)))
    assert len(set(first["prompt"])) == 12


def test_without_answers_echo_says_nothing(tmp_path: Path) -> None:
    sources = texts(tmp_path / "x.jsonl", {"question": "Q", "right": "r", "kind": "k"})
    assert BUILDER.build(Order(sources, Letters(), 1))["tok_ref_output"] == [[]]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"right": "r", "kind": "k"}, "no column question"),
        ({"question": "Q", "kind": "k"}, "no column right"),
        ({"question": 7, "right": "r", "kind": "k"}, "column question: text expected, not 7"),
        ({"question": "Q", "right": "r", "kind": "k", "answer": [1]}, "column answer: text expected"),
    ],
)
def test_texts_of_another_kind_are_refused(tmp_path: Path, row: dict[str, object], words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        BUILDER.build(Order(texts(tmp_path / "x.jsonl", row), Letters(), 1))


def test_with_two_sets_one_of_both_columns_is_not_enough(tmp_path: Path) -> None:
    builder = question_build.builder("right", "ids", "kind", has_two_sets=True)
    sources = texts(tmp_path / "x.jsonl", {"question": "Q", "right": "r"})
    with pytest.raises(ArtifactError, match="no column kind"):
        builder.build(Order(sources, Letters(), 1))
