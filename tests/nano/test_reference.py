"""What the shipped model scores is stored beside it and belongs to the rows that are generated."""

from __future__ import annotations

import hashlib

import pytest

from assay.ground.errors import ConfigError
from assay.nano import rows
from assay.nano.reference import load_reference
from assay.nano.shipped import checkpoint_dir

METRICS = {"rouge1", "rouge2", "rougeL", "gsm8k", "mbxp", "tokens_per_sample"}


@pytest.mark.parametrize(("kind", "samples"), [("default", 300), ("validation", 1500), ("calibration", 300)])
def test_a_set_has_every_metric_with_its_interval(kind: str, samples: int) -> None:
    found = load_reference(kind)
    assert found.samples == samples
    assert set(found.scores) == set(found.intervals) == set(found.counts) == METRICS
    for metric, interval in found.intervals.items():
        assert interval is None or interval[0] <= found.scores[metric] <= interval[1]
    assert sum(found.counts[metric] for metric in ("rouge1", "gsm8k", "mbxp")) == samples
    assert found.longest_output_tokens <= found.max_new_tokens


def test_the_reference_is_that_of_the_rows() -> None:
    text = rows.to_jsonl(rows.build_rows("default"))
    assert hashlib.sha256(text.encode()).hexdigest() == load_reference("default").rows_sha256


def test_another_set_is_refused_with_the_near_one() -> None:
    with pytest.raises(ConfigError, match="no validaton set") as error:
        load_reference("validaton")
    assert error.value.hint == "did you mean validation?"


def test_the_checkpoint_ships_with_the_package() -> None:
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {
        p.name for p in checkpoint_dir().iterdir()
    }
