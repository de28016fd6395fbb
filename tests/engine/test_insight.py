"""The meter's counts and its KV curve."""

from __future__ import annotations

import itertools
from pathlib import Path

from assay.config import Precision
from assay.engine.api import Engine
from assay.engine.batch import Batch
from assay.engine.config import EngineConfig, read_model_config
from assay.engine.insight import KV_POINTS, PARTS, Meter
from assay.engine.sequence import Request


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
    list(engine.generate([Request(0, (5, 9, 33), 6)]))
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
