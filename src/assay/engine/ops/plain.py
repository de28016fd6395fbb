"""The ops in PyTorch: the truth in float32, and what runs where no kernel can be built.

Weights stay as the checkpoint has them, in the asked precision; KV is a flat row per token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from assay.config import Precision
from assay.engine.config import MixtralConfig
from assay.engine.kv_blocks import BLOCK_TOKENS
from assay.engine.ops import Routing, Step, reference, untouched_zeros

FLOAT_TYPES = {
    Precision.FLOAT32: torch.float32,
    Precision.BFLOAT16: torch.bfloat16,
    Precision.FLOAT16: torch.float16,
    Precision.INT8: torch.bfloat16,
}


@dataclass(frozen=True)
class FloatMatrix:
    weight_ND: Tensor

    def product(self, h_TD: Tensor) -> Tensor:
        return F.linear(h_TD, self.weight_ND).float()


@dataclass(frozen=True)
class Int8Matrix:
    weight_ND: Tensor
    scale_N: Tensor

    def product(self, h_TD: Tensor) -> Tensor:
        return reference.linear_int8(*reference.quantise_rows(h_TD), self.weight_ND, self.scale_N)


PlainMatrix = FloatMatrix | Int8Matrix
PlainExperts = Sequence[tuple[PlainMatrix, PlainMatrix, PlainMatrix]]


@dataclass(frozen=True)
class PlainCache:
    """A row per KV token: token i of a sequence is row blocks[i // 16] * 16 + i % 16."""

    k_LPKC: Tensor
    v_LPKC: Tensor
    num_heads: int


class PlainOps:
    """The Ops of PyTorch."""

    name = "torch"
    torch_threads = None

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self.activation_type = FLOAT_TYPES[precision]

    def pack_matrix(self, weight_ND: Tensor) -> PlainMatrix:
        if self.precision is Precision.INT8:
            return Int8Matrix(*reference.quantise_rows(weight_ND))
        return FloatMatrix(weight_ND.to(self.activation_type, copy=True))

    def pack_head(self, weight_VD: Tensor) -> PlainMatrix:
        return FloatMatrix(weight_VD.to(self.activation_type, copy=True))

    def pack_experts(
        self, gate: Sequence[Tensor], up: Sequence[Tensor], down: Sequence[Tensor]
    ) -> PlainExperts:
        return [
            (self.pack_matrix(g), self.pack_matrix(u), self.pack_matrix(d)) for g, u, d in zip(gate, up, down)
        ]

    def new_cache(self, config: MixtralConfig, num_blocks: int) -> PlainCache:
        shape = (config.num_layers, num_blocks * BLOCK_TOKENS, config.num_kv_heads, config.head_dim)
        k, v = (untouched_zeros(shape, self.activation_type) for _ in range(2))
        return PlainCache(k, v, config.num_heads)

    def norm(self, x_TD: Tensor, weight_D: Tensor, eps: float) -> Tensor:
        return reference.rms_norm(x_TD, weight_D, eps).to(self.activation_type)

    def linear(self, h_TD: Tensor, matrix: PlainMatrix) -> Tensor:
        return matrix.product(h_TD)

    def add_linear(self, x_TN: Tensor, h_TD: Tensor, matrix: PlainMatrix) -> None:
        x_TN += matrix.product(h_TD)

    def attend(self, qkv_TN: Tensor, cache: PlainCache, layer: int, step: Step, turn_PC: Tensor) -> Tensor:
        k_PKC, v_PKC = cache.k_LPKC[layer], cache.v_LPKC[layer]
        rows = qkv_TN.view(len(qkv_TN), -1, k_PKC.shape[-1])
        q_THC, k_TKC, v_TKC = rows.split((cache.num_heads, k_PKC.shape[1], k_PKC.shape[1]), dim=1)
        turn_TC = turn_PC[step.positions_T]
        q_THC, k_TKC = reference.rotate(q_THC, turn_TC), reference.rotate(k_TKC, turn_TC)
        out_TQ = torch.empty((len(rows), q_THC.shape[1] * q_THC.shape[2]), dtype=self.activation_type)
        starts, contexts = step.row_start_S.tolist(), step.context_S.tolist()
        table_starts = step.table_start_S.tolist()
        for s, context in enumerate(contexts):
            here = slice(starts[s], starts[s + 1])
            kv_rows = _rows_of(step.table[table_starts[s] : table_starts[s + 1]], context)
            new = kv_rows[context - (here.stop - here.start) :]
            k_PKC[new], v_PKC[new] = k_TKC[here].to(k_PKC.dtype), v_TKC[here].to(v_PKC.dtype)
            start = context - (here.stop - here.start)
            q_here = q_THC[here].to(self.activation_type)
            out = reference.attention(q_here, k_PKC[kv_rows], v_PKC[kv_rows], start)
            out_TQ[here] = out.flatten(1).to(self.activation_type)
        return out_TQ

    def route(self, h_TD: Tensor, gate_ED: Tensor, active: int) -> Routing:
        weight_TA, expert_TA = reference.top_experts(h_TD, gate_ED, active)
        return Routing(*reference.sort_by_expert(expert_TA, len(gate_ED)), weight_TA)

    def add_experts(self, x_TD: Tensor, h_TD: Tensor, routing: Routing, experts: PlainExperts) -> None:
        starts = routing.start_E.tolist()
        out_RD = torch.empty((len(routing.row_R), x_TD.shape[1]))
        for e, (gate, up, down) in enumerate(experts):
            here = slice(starts[e], starts[e + 1])
            h_RD = h_TD[routing.row_R[here]]
            inner_RF = F.silu(gate.product(h_RD)) * up.product(h_RD)
            out_RD[here] = down.product(inner_RF.to(self.activation_type))
        x_TD += (out_RD[routing.place_TA] * routing.weight_TA[..., None]).sum(1)

    def used_precision(self, matrix: PlainMatrix) -> str:
        return str(matrix.weight_ND.dtype).removeprefix("torch.")


def _rows_of(blocks: Tensor, num_tokens: int) -> Tensor:
    """Cache rows of a sequence's first `num_tokens` tokens."""
    rows = blocks.long()[:, None] * BLOCK_TOKENS + torch.arange(BLOCK_TOKENS)
    return rows.flatten()[:num_tokens]
