"""Memory planned before weights are read, with the published figures of Mixtral-8x7B.

Source of the shape: config.json of mistralai/Mixtral-8x7B-Instruct-v0.1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Precision
from assay.engine.config import PRECISIONS, EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.kv_blocks import BLOCK_TOKENS, KvBlocks
from assay.engine.residency import RUNTIME_BYTES, kv_bytes_per_token, plan, row_bytes, weight_bytes
from assay.engine.scheduler import Scheduler
from assay.engine.sequence import EngineRequest, Sequence
from assay.ground.errors import EnvironmentProblem

MIXTRAL = DecoderConfig(32000, 4096, 14336, 32, 32, 8, 128, 8, 2, 1e-5, 1e6, 32768, False, (2,))
ENGINE = EngineConfig(Path("x"), max_running=64, token_budget=512)
IN_MEMORY = replace(ENGINE, weights="memory")
GIB = 1 << 30


@pytest.mark.parametrize(
    ("precision", "size_bytes"),
    [
        # 46,439,333,888 weights of layers; a head of 131,072,000, and as many of the table at 4 bytes each
        (Precision.FLOAT32, 46_439_333_888 * 4 + 131_072_000 * 8),
        (Precision.BFLOAT16, 46_439_333_888 * 2 + 131_072_000 * 6),
        (Precision.FLOAT16, 46_439_333_888 * 2 + 131_072_000 * 6),
        (Precision.INT8, 46_439_333_888 + 131_072_000 * 6),  # the head stays at 16 bits
    ],
)
def test_the_weights_take_their_bytes(precision: Precision, size_bytes: int) -> None:
    assert weight_bytes(MIXTRAL, precision) == size_bytes


@pytest.mark.parametrize(
    ("precision", "size_kib"),
    [(Precision.FLOAT32, 256), (Precision.BFLOAT16, 128), (Precision.FLOAT16, 128), (Precision.INT8, 128)],
)
def test_a_token_keeps_a_key_and_a_value_in_each_layer(precision: Precision, size_kib: int) -> None:
    assert kv_bytes_per_token(MIXTRAL, replace(ENGINE, precision=precision)) == size_kib << 10


@pytest.mark.parametrize("precision", PRECISIONS)
def test_keys_and_values_in_int8_take_a_byte_each_and_a_scale_for_each_head(precision: Precision) -> None:
    # 2 * 32 layers * 8 heads, each of 128 numbers and 4 bytes
    engine = replace(ENGINE, precision=precision, kv_precision="int8")
    assert kv_bytes_per_token(MIXTRAL, engine) == 2 * 32 * 8 * (128 + 4)


def test_keys_and_values_in_int8_hold_more_tokens_in_the_same_memory() -> None:
    wide, narrow = (plan(MIXTRAL, replace(ENGINE, kv_precision=kv), 100 * GIB) for kv in ("auto", "int8"))
    assert narrow.total <= 100 * GIB and 1.9 * wide.kv_blocks < narrow.kv_blocks


def test_the_rows_of_a_step_are_those_of_its_budget() -> None:
    one = row_bytes(MIXTRAL, replace(ENGINE, max_running=1, token_budget=1))
    # Residuals and projections 4 * (4 * 4096 + 4096 + 2 * 1024), two experts 2 * 4 * (14336 + 4096), logits 4 * 32000.
    assert one == 90_112 + 147_456 + 128_000
    assert row_bytes(MIXTRAL, ENGINE) == 512 * (90_112 + 147_456) + 64 * 128_000


def test_kv_that_is_asked_for_is_planned_to_the_block() -> None:
    found = plan(MIXTRAL, replace(ENGINE, kv_tokens=100), 200 * GIB)
    assert found.kv_blocks == 7
    assert found.kv == 7 * BLOCK_TOKENS * 131_072
    assert found.total == found.weights + found.rows + found.kv + RUNTIME_BYTES


def test_kv_takes_four_fifths_of_what_is_left() -> None:
    available = 100 * GIB
    found = plan(MIXTRAL, ENGINE, available)
    room = available - found.weights - found.rows - RUNTIME_BYTES
    block = BLOCK_TOKENS * 131_072
    assert found.kv <= 0.8 * room < found.kv + block


def test_no_more_kv_is_planned_than_all_sequences_can_use() -> None:
    small = replace(MIXTRAL, max_positions=4096)
    found = plan(small, replace(ENGINE, max_running=2), 1000 * GIB)
    assert found.kv_blocks == 2 * 4096 // BLOCK_TOKENS


def test_what_does_not_fit_is_refused_with_its_figures() -> None:
    with pytest.raises(EnvironmentProblem) as error:
        plan(MIXTRAL, IN_MEMORY, 80 * GIB)
    assert "bfloat16 takes 94.3 GB (weights 93.7 GB" in error.value.message
    assert "for 2048 tokens); 85.9 GB is available" in error.value.message
    assert "a smaller --precision, keys and values in int8" in error.value.hint
    with pytest.raises(EnvironmentProblem) as narrower:
        plan(MIXTRAL, replace(IN_MEMORY, kv_precision="int8"), 80 * GIB)
    assert "a smaller --precision, fewer kv_tokens" in narrower.value.hint


def test_kv_for_one_long_sequence_must_fit_beside_the_weights() -> None:
    least = (
        weight_bytes(MIXTRAL, Precision.BFLOAT16)
        + row_bytes(MIXTRAL, ENGINE)
        + RUNTIME_BYTES
        + 2048 * 131_072
    )
    assert plan(MIXTRAL, ENGINE, least).kv_blocks == 128
    with pytest.raises(EnvironmentProblem):
        plan(MIXTRAL, IN_MEMORY, least - 1)


@given(st.integers(1, 4000), st.sampled_from(sorted(Precision, key=str)), st.integers(0, 400))
def test_a_plan_never_exceeds_what_is_available(kv_tokens: int, precision: Precision, gib: int) -> None:
    if precision is Precision.INT4:
        return
    try:
        found = plan(MIXTRAL, replace(ENGINE, precision=precision, kv_tokens=kv_tokens), gib * GIB)
    except EnvironmentProblem:
        assert weight_bytes(MIXTRAL, precision) + (1 << 30) > gib * GIB - kv_tokens * 300_000
    else:
        assert found.total <= gib * GIB
        assert found.kv_blocks * BLOCK_TOKENS >= kv_tokens


def test_kv_beside_experts_on_disk_admits_all_sequences_at_once() -> None:
    """Planned without the spare block of each, the last tenth waited and was then read for alone."""
    tokens, count = 150, 48
    engine = replace(
        ENGINE, weights="disk", max_running=count, token_budget=count * tokens, typical_tokens=tokens
    )
    scheduler = Scheduler(KvBlocks(plan(MIXTRAL, engine, 64 * GIB).kv_blocks), count, count * tokens)
    for number in range(count):
        scheduler.add(Sequence(EngineRequest(number, (1,) * (tokens - 8), 8)))
    scheduler.next_batch()
    assert (scheduler.num_running, scheduler.num_waiting) == (count, 0)
