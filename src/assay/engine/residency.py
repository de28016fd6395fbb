"""Where the memory goes, planned before a byte of weights is read. Pure arithmetic.

Weights live in memory, packed once; what is left after them and the working rows is room for KV. Where they do not
fit, dense parts stay, and experts are read from disk in each step. Then a byte of KV brings more than a byte of
experts that need not be read: it widens the batch that shares all the reading. So KV comes first, up to what the batch
can use, and experts stay in what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from assay.config import BYTES_PER_WEIGHT, Precision
from assay.engine.config import PRECISIONS, EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.kv_blocks import BLOCK_TOKENS, SPARE_BLOCKS, blocks_for
from assay.ground.count import size_text
from assay.ground.errors import EnvironmentProblem

WEIGHT_BYTES = {precision: int(BYTES_PER_WEIGHT[precision]) for precision in PRECISIONS}
KV_BYTES = {Precision.FLOAT32: 4, Precision.BFLOAT16: 2, Precision.FLOAT16: 2, Precision.INT8: 2}
"""Of a number of keys and values, by the engine's precision"""
INT8_KV_SCALE_BYTES = 4
"""Beside a byte for each number, of each token and head"""
HEAD_BYTES_MIN = 2
"""The head is at least 16 bit: Ops.pack_head."""
RUNTIME_BYTES = 256 << 20
"""Allocator slack and thread stacks. Interpreter and PyTorch are resident by the time memory is planned."""
KV_SHARE = 0.8
"""Of the memory that is left for KV, so that the machine keeps some."""
DISK_SHARE = 0.95
"""Of the memory, with experts on disk: all of it has a use then, and these figures are estimates."""
DISK_TOKEN_BUDGET = 4096
"""Rows of a step that reads tens of GB: arithmetic of fewer would be done long before the reading is."""
LEAST_KV_TOKENS = 2048
SLOTS_PER_EXPERT = (2, 1)
"""Room for experts on their way: of the layer that is computed and of the next, or else of one layer, without reading
ahead"""
GIB = 1 << 30


@dataclass(frozen=True)
class Residency:
    """Bytes by purpose."""

    weights: int
    rows: int
    """Activations of the largest step"""
    kv: int
    kv_blocks: int
    slots: int = 0
    """Experts that there is room for on their way from disk"""
    slot_bytes: int = 0
    resident: tuple[tuple[int, int], ...] = ()
    """(layer, expert): with experts on disk, those that stay in memory"""
    step_bytes: int = 0
    """Read from disk by a step that wants every expert; 0: all weights are in memory"""

    @property
    def total(self) -> int:
        return self.weights + self.rows + self.kv + self.slots * self.slot_bytes + RUNTIME_BYTES

    @property
    def is_from_disk(self) -> bool:
        return self.step_bytes > 0


def plan(model: DecoderConfig, engine: EngineConfig, available: int) -> Residency:
    """How `available` bytes are used.

    Raises: EnvironmentProblem, with the figures and what to change, when weights, rows and KV for one
    longest sequence (or the asked kv_tokens) do not fit.
    """
    if engine.weights == "disk":
        return from_disk(model, engine, available)
    try:
        return in_memory(model, engine, available)
    except EnvironmentProblem:
        if engine.weights == "memory":
            raise
        return from_disk(model, engine, available)


def in_memory(model: DecoderConfig, engine: EngineConfig, available: int) -> Residency:
    """All weights in memory. KV pages are touched only when used, so the room for it is generous.

    Raises: EnvironmentProblem as `plan`.
    """
    weights, rows = weight_bytes(model, engine.precision), row_bytes(model, engine)
    block = BLOCK_TOKENS * kv_bytes_per_token(model, engine)
    most = engine.max_running * blocks_for(model.max_positions)
    room = available - weights - rows - RUNTIME_BYTES
    if engine.kv_tokens is not None:
        count = blocks_for(engine.kv_tokens)
    else:
        count = max(min(most, int(KV_SHARE * room) // block), min(most, blocks_for(LEAST_KV_TOKENS)))
    found = Residency(weights, rows, count * block, count)
    if found.total > available:
        raise EnvironmentProblem(
            f"{engine.precision.value} takes {size_text(found.total)} (weights {size_text(weights)}, "
            f"rows {size_text(rows)}, KV {size_text(found.kv)} for {count * BLOCK_TOKENS} tokens); "
            f"{size_text(available)} is available",
            _smaller(engine),
        )
    return found


def from_disk(model: DecoderConfig, engine: EngineConfig, available: int) -> Residency:
    """Experts on disk; as many stay in memory as fit beside the KV that the batch can use, unless every one of them is
    to be read. Which of them is open at first: those that rows turn out to want most come to stay (expert_stream.py).

    Raises: EnvironmentProblem as `plan`.
    """
    available = int(DISK_SHARE * available)
    dense, rows = dense_bytes(model, engine.precision), row_bytes(model, engine)
    expert, count = expert_bytes(model, engine.precision), model.num_layers * model.num_experts
    block = BLOCK_TOKENS * kv_bytes_per_token(model, engine)
    most = engine.max_running * blocks_for(model.max_positions)
    least = blocks_for(engine.kv_tokens) if engine.kv_tokens else min(most, blocks_for(LEAST_KV_TOKENS))
    wanted = engine.max_running * (blocks_for(engine.typical_tokens) + SPARE_BLOCKS)
    for each in SLOTS_PER_EXPERT:
        slots = each * model.num_experts
        room = available - dense - rows - RUNTIME_BYTES - slots * expert
        if room >= least * block:
            break
    else:
        raise EnvironmentProblem(
            f"even with experts read from disk {engine.precision.value} takes "
            f"{size_text(available - room + least * block)} (dense weights {size_text(dense)}, "
            f"room for one layer's experts {size_text(slots * expert)}, rows {size_text(rows)}, "
            f"KV {size_text(least * block)} for {least * BLOCK_TOKENS} tokens); {size_text(available)} is available",
            _smaller(engine),
        )
    blocks = least if engine.kv_tokens else max(least, min(wanted, most, room // block))
    kept = 0 if engine.weights == "disk" else min(count - 1, (room - blocks * block) // expert)
    resident = every_expert(model)[:kept]
    weights = dense + kept * expert
    return Residency(
        weights=weights,
        rows=rows,
        kv=blocks * block,
        kv_blocks=blocks,
        slots=slots,
        slot_bytes=expert,
        resident=resident,
        step_bytes=(count - kept) * expert,
    )


def widened(model: DecoderConfig, engine: EngineConfig, available: int) -> EngineConfig:
    """With experts on disk, the engine with steps of DISK_TOKEN_BUDGET rows where these have room; else as it is."""
    wide = replace(engine, token_budget=max(engine.max_running, DISK_TOKEN_BUDGET))
    try:
        return (
            wide if plan(model, engine, available).is_from_disk and plan(model, wide, available) else engine
        )
    except EnvironmentProblem:
        return engine


def weight_bytes(model: DecoderConfig, precision: Precision) -> int:
    """Packed weights. The head is at least 16 bit (Ops.pack_head); the embedding table and norms stay as the checkpoint
    has them, at most float32."""
    experts = model.num_layers * model.num_experts * model.expert_parameters * WEIGHT_BYTES[precision]
    return dense_bytes(model, precision) + experts


def dense_bytes(model: DecoderConfig, precision: Precision) -> int:
    """All but the experts."""
    head = model.vocab_size * model.hidden_size
    head_bytes = max(WEIGHT_BYTES[precision], HEAD_BYTES_MIN)
    layers = model.num_layers * model.dense_layer_parameters * WEIGHT_BYTES[precision]
    return layers + head * (head_bytes + 4)


def expert_bytes(model: DecoderConfig, precision: Precision) -> int:
    """One packed expert; with int8, a scale and an offset for each column. Padding to whole panels left out."""
    columns = 2 * model.intermediate_size + model.hidden_size
    return model.expert_parameters * WEIGHT_BYTES[precision] + (
        8 * columns if precision is Precision.INT8 else 0
    )


def kv_bytes_per_token(model: DecoderConfig, engine: EngineConfig) -> int:
    """Keys and values of all layers."""
    numbers = 2 * model.num_layers * model.kv_size
    if engine.has_int8_kv:
        return numbers + 2 * model.num_layers * model.num_kv_heads * INT8_KV_SCALE_BYTES
    return numbers * KV_BYTES[engine.precision]


def row_bytes(model: DecoderConfig, engine: EngineConfig) -> int:
    """Activations of a step of token_budget rows: residuals, projections, experts' inner rows and logits."""
    row = 4 * (4 * model.hidden_size + model.q_size + 2 * model.kv_size)
    row += model.experts_per_token * 4 * (model.intermediate_size + model.hidden_size)
    return engine.token_budget * row + min(engine.max_running, engine.token_budget) * model.vocab_size * 4


def every_expert(model: DecoderConfig) -> tuple[tuple[int, int], ...]:
    """(layer, expert) of all."""
    return tuple((layer, e) for e in range(model.num_experts) for layer in range(model.num_layers))


def said(found: Residency, copy: Path) -> str:
    """Where the experts are, in a line."""
    if not found.is_from_disk:
        return f"experts are read once, from the packed copy {copy.name}"
    return (
        f"experts are read from disk: each step reads up to {size_text(found.step_bytes)} of them from {copy.name}; "
        f"{len(found.resident)} experts stay in memory, and KV has room for {found.kv_blocks * BLOCK_TOKENS} tokens"
    )


def _smaller(engine: EngineConfig) -> str:
    """What to try where memory is short."""
    bound = "" if engine.memory_bytes is None else "a larger --memory-gib, "
    kv = "" if engine.has_int8_kv else "keys and values in int8 (kv_precision), "
    return f"{bound}a smaller --precision, {kv}fewer kv_tokens, a smaller token_budget, or a machine with more memory"
