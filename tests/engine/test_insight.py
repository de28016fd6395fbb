"""The meter's counts and its KV curve."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch

from assay.config import Precision
from assay.engine.api import Engine
from assay.engine.batch import Batch, Chunk
from assay.engine.config import EngineConfig
from assay.engine.families import read_model_config
from assay.engine.insight import KV_POINTS, PARTS, Meter
from assay.engine.sequence import EngineRequest, Sequence


def test_the_kv_curve_covers_the_whole_run_in_few_points(small_checkpoint: Path) -> None:
    meter = Meter(read_model_config(small_checkpoint))
    for step in range(5000):
        meter.count_step(Batch(()), step)
    blocks = [used for _, used in meter.kv_curve]
    assert KV_POINTS // 2 <= len(blocks) <= KV_POINTS
    assert len({b - a for a, b in itertools.pairwise(blocks)}) == 1
    assert blocks[0] == 0 and blocks[-1] > 4900


def test_a_run_shows_its_parts_experts_kv_and_the_machines_limits(small_checkpoint: Path) -> None:
    engine = Engine(EngineConfig(small_checkpoint, Precision.FLOAT32))
    list(engine.generate([EngineRequest(0, (5, 9, 33), 6)]))
    insight = engine.insight()
    computed = 3 + 5
    assert insight["tokens_computed"] == computed and insight["tokens_sampled"] == 6
    assert set(insight["seconds"]) == set(PARTS)
    assert all(sum(row) == computed * engine.model.experts_per_token for row in insight["tokens_per_expert"])
    assert [used for _, used in insight["kv_blocks_over_seconds"]] == [1] * 6
    assert "limits" in insight


def test_the_head_is_counted_with_the_bytes_that_it_has(small_checkpoint: Path) -> None:
    model = read_model_config(small_checkpoint)
    meter = Meter(model)
    meter.count_step(Batch(()), 0)
    int8, bfloat16 = meter.weights_read(1), meter.weights_read(2)
    assert int8["head"] == bfloat16["head"] == 2 * model.hidden_size * model.vocab_size
    assert 2 * int8["attention"] == bfloat16["attention"]


def chunk(start: int, stop: int, length: int) -> Chunk:
    return Chunk(Sequence(EngineRequest(0, (5,) * length)), start, stop)


def test_keys_are_counted_as_each_token_sees_itself_and_those_before(small_checkpoint: Path) -> None:
    meter = Meter(read_model_config(small_checkpoint))
    meter.count_step(Batch((chunk(0, 4, 9), chunk(8, 9, 9))), 2)
    assert meter.keys_read == (1 + 2 + 3 + 4) + 9
    assert (meter.steps, meter.tokens, meter.sampled, meter.kv_blocks_peak) == (1, 5, 1, 2)
    meter.count_step(Batch((chunk(3, 4, 9),)), 1)
    assert meter.keys_read == 19 + 4
    assert meter.kv_blocks_peak == 2


def test_arithmetic_and_weights_follow_from_the_counts(small_checkpoint: Path) -> None:
    """Hidden 64, experts of 96, 4 query heads and 2 KV heads of 16 channels, 2 layers, vocabulary 96."""
    meter = Meter(read_model_config(small_checkpoint))
    meter.keep_experts(0, torch.tensor([0, 2, 2, 5, 6], dtype=torch.int32))
    meter.keep_experts(1, torch.tensor([0, 6, 6, 6, 6], dtype=torch.int32))
    meter.count_step(Batch((chunk(0, 3, 3),)), 1)
    assert meter.experts_LE.tolist() == [[2, 0, 3, 1], [6, 0, 0, 0]]
    assert meter.flops() == {
        "attention": 2 * 2 * (3 * 2 * 64 * (64 + 32) + 2 * 6 * 64),
        "experts": 2 * 12 * 3 * 64 * 96,
        "head": 2 * 1 * 64 * 96,
    }
    assert meter.weights_read(4) == {
        "attention": 2 * 2 * 64 * 96 * 4,
        "experts": (3 + 1) * 3 * 64 * 96 * 4,  # an expert without a token is not read
        "head": 64 * 96 * 4,
    }


def test_a_part_that_took_no_time_has_no_rate(small_checkpoint: Path) -> None:
    meter = Meter(read_model_config(small_checkpoint))
    meter.count_step(Batch((chunk(0, 3, 3),)), 1)
    meter.nanoseconds["head"] = 1000
    report = meter.report(2)
    assert report["gflop_per_s"] == {"head": round(2 * 64 * 96 / 1000, 1)}
    assert report["seconds"]["attention"] == 0


def test_a_reset_meter_has_counted_nothing(small_checkpoint: Path) -> None:
    meter = Meter(read_model_config(small_checkpoint))
    meter.count_step(Batch((chunk(0, 3, 3),)), 1)
    with meter.part("head"):
        pass
    meter.reset()
    assert (meter.steps, meter.tokens, meter.keys_read, meter.kv_curve) == (0, 0, 0, [])
    assert set(meter.nanoseconds.values()) == {0}
