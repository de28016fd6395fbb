"""Sets of questions built for the reasoning workloads are read by their schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf import workloads
from assay.mlperf.workloads.datasets.building import Order


class Letters:
    """A tokenizer whose ids are the letters' codes."""

    def encode_prompt(self, text: str) -> list[int]:
        return [1, *map(ord, text)]

    def encode(self, text: str) -> list[int]:
        return list(map(ord, text))


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
    columns = workload.builder.build(Order({"texts": path}, Letters(), 30))  # type: ignore[arg-type]
    samples = workload.schema.samples(columns, "built")
    assert sorted(int(sample.truth) for sample in samples) == list(range(30))
    assert all(sample.prompt_ids == (1, *map(ord, sample.prompt)) for sample in samples)
    assert {sample.reference_ids for sample in samples} == {(97, 98)}
    with pytest.raises(ConfigError, match="31 rows were asked for"):
        workload.builder.build(Order({"texts": path}, Letters(), 31))  # type: ignore[arg-type]


def test_texts_without_answers_make_the_set_of_performance_runs_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"question": f"Q{i}", "answer": "ab"}) + "\n" for i in range(3)))
    gpt_oss, deepseek = workloads.get("gpt-oss-120b"), workloads.get("deepseek-r1")
    assert gpt_oss.builder is not None and deepseek.builder is not None
    columns = gpt_oss.builder.build(Order({"texts": path}, Letters(), 3))  # type: ignore[arg-type]
    assert sorted(columns) == ["input_tokens", "text_input", "tok_ref_output"]
    assert len(gpt_oss.schema.samples(columns, "built")) == 3
    with pytest.raises(ArtifactError, match="ground_truth, dataset"):
        deepseek.builder.build(Order({"texts": path}, Letters(), 3))  # type: ignore[arg-type]
