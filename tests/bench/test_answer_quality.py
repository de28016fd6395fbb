"""ROUGE of a lower precision beside float32's, over instruction rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay import nano
from assay.bench import answer_quality
from assay.bench.answer_quality import Rouge
from assay.config import Precision
from assay.engine.config import EngineConfig
from assay.ground.errors import ConfigError
from assay.mlperf.data import dataset, dataset_file


@pytest.fixture(scope="module")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "nano.jsonl"
    dataset_file.write_columns(path, dataset.columns_of(nano.dataset("default")))
    return path


def test_only_instruction_rows_are_scored(rows_file: Path, tmp_path: Path) -> None:
    rows = answer_quality.instruction_rows(rows_file)
    assert rows and {row.subset for row in rows} == {"OpenOrca"}
    other = [row for row in nano.dataset("default") if row["dataset"] != "OpenOrca"]
    dataset_file.write_columns(tmp_path / "other.jsonl", dataset.columns_of(other))
    with pytest.raises(ConfigError, match="no instruction rows"):
        answer_quality.instruction_rows(tmp_path / "other.jsonl")


def test_each_lower_precision_is_held_against_float32(rows_file: Path) -> None:
    config = EngineConfig(nano.checkpoint_dir(), Precision.FLOAT32, kernels="torch")
    configs = [config, replace(config, precision=Precision.BFLOAT16)]
    rows = answer_quality.instruction_rows(rows_file)[:4]
    (found,) = answer_quality.rouge_beside_float32(configs, rows, 24, lambda _: None)
    assert (found.precision, found.rows) == ("bfloat16", 4)
    assert found.holds and found.to_dict()["metrics"]["rouge1"]["float32"] > 40


def test_a_loss_of_more_than_one_percent_in_any_metric_fails_once_it_is_beyond_chance() -> None:
    whole = {"rouge1": [0.5] * 100, "rouge2": [0.25] * 100}
    assert Rouge("int8", {**whole, "rouge2": [0.2476] * 100}, whole).holds
    assert not Rouge("int8", {**whole, "rouge2": [0.2474] * 100}, whole).holds
    some_lost = {**whole, "rouge1": [0.5] * 80 + [0.3] * 20}
    assert not Rouge("int8", some_lost, whole).holds
    either_way = {**whole, "rouge1": [0.2, 0.79] * 50}  # 1 % lower on average, which says nothing
    assert Rouge("int8", either_way, whole).holds


def test_the_change_has_an_interval_in_percent() -> None:
    tree = Rouge("int8", {"rouge1": [0.4, 0.6] * 3}, {"rouge1": [0.5, 0.6] * 3}).to_dict()
    assert tree["rows"] == 6 and tree["metrics"]["rouge1"]["value"] == pytest.approx(50)
    low, high = tree["metrics"]["rouge1"]["change_95"]
    assert low < -5 < high
