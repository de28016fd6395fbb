"""Where the memory goes, planned before a byte of weights is read. Pure arithmetic.

All weights live in RAM, packed once; what is left after them and the working rows is room for KV.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.config import BYTES_PER_WEIGHT, Precision
from assay.engine.config import PRECISIONS, EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.kv_blocks import BLOCK_TOKENS, blocks_for
from assay.ground.errors import EnvironmentProblem

WEIGHT_BYTES = {precision: int(BYTES_PER_WEIGHT[precision]) for precision in PRECISIONS}
KV_BYTES = {Precision.FLOAT32: 4, Precision.BFLOAT16: 2, Precision.FLOAT16: 2, Precision.INT8: 2}
HEAD_BYTES_MIN = 2
"""The head is at least 16 bit: Ops.pack_head."""
RUNTIME_BYTES = 256 << 20
"""Allocator slack and thread stacks. Interpreter and PyTorch are resident by the time memory is planned."""
KV_SHARE = 0.8
"""Of the memory that is left for KV, so that the machine keeps some."""
GIB = 1 << 30


@dataclass(frozen=True)
class Residency:
    """Bytes by purpose."""

    weights: int
    rows: int
    """Activations of the largest step"""
    kv: int
    kv_blocks: int

    @property
    def total(self) -> int:
        return self.weights + self.rows + self.kv + RUNTIME_BYTES


def plan(model: DecoderConfig, engine: EngineConfig, available: int) -> Residency:
    """How `available` bytes are used. KV pages are touched only when used, so the room for it is generous.

    Raises: EnvironmentProblem, with the figures and what to change, when weights, rows and KV for one
    longest sequence (or the asked kv_tokens) do not fit.
    """
    weights, rows = weight_bytes(model, engine.precision), row_bytes(model, engine)
    block = BLOCK_TOKENS * kv_bytes_per_token(model, engine.precision)
    most = engine.max_running * blocks_for(model.max_positions)
    room = available - weights - rows - RUNTIME_BYTES
    if engine.kv_tokens is not None:
        count = blocks_for(engine.kv_tokens)
    else:
        count = max(min(most, int(KV_SHARE * room) // block), min(most, blocks_for(2048)))
    found = Residency(weights, rows, count * block, count)
    if found.total > available:
        raise EnvironmentProblem(
            f"{engine.precision.value} takes {_gib(found.total)} (weights {_gib(weights)}, "
            f"rows {_gib(rows)}, KV {_gib(found.kv)} for {count * BLOCK_TOKENS} tokens); "
            f"{_gib(available)} is available",
            "a smaller --precision, fewer kv_tokens, a smaller token_budget, or a machine with more memory",
        )
    return found


def weight_bytes(model: DecoderConfig, precision: Precision) -> int:
    """Packed weights. The head is at least 16 bit (Ops.pack_head); the embedding table and norms stay as the checkpoint
    has them, at most float32."""
    per_layer = model.dense_layer_parameters + model.num_experts * model.expert_parameters
    head = model.vocab_size * model.hidden_size
    head_bytes = max(WEIGHT_BYTES[precision], HEAD_BYTES_MIN)
    return model.num_layers * per_layer * WEIGHT_BYTES[precision] + head * (head_bytes + 4)


def kv_bytes_per_token(model: DecoderConfig, precision: Precision) -> int:
    return 2 * model.num_layers * model.kv_size * KV_BYTES[precision]


def row_bytes(model: DecoderConfig, engine: EngineConfig) -> int:
    """Activations of a step of token_budget rows: residuals, projections, experts' inner rows and logits."""
    row = 4 * (4 * model.hidden_size + model.q_size + 2 * model.kv_size)
    row += model.experts_per_token * 4 * (model.intermediate_size + model.hidden_size)
    return engine.token_budget * row + min(engine.max_running, engine.token_budget) * model.vocab_size * 4


def _gib(count: int) -> str:
    return f"{count / GIB:.1f} GiB"
