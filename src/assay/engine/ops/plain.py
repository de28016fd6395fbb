"""The ops in PyTorch: the truth in float32, and what runs where no kernel can be built.

Weights stay as the checkpoint has them, in the asked precision; KV is a flat row per token (plain_kv.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from assay.config import Precision
from assay.engine.decoder_config import DecoderConfig
from assay.engine.kv_blocks import BLOCK_TOKENS
from assay.engine.ops import AttentionWeights, Routing, Step, reference, whole_blocks
from assay.engine.ops.plain_kv import PlainKv, new_kv

FLOAT_TYPES = {
    Precision.FLOAT32: torch.float32,
    Precision.BFLOAT16: torch.bfloat16,
    Precision.FLOAT16: torch.float16,
    Precision.INT8: torch.bfloat16,
}


UNIFORM_DEVIATION = 2 * reference.INT8_MAX / 12**0.5
"""Standard deviation of whole numbers between the ends of int8, all as likely"""


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


PlainExpert = tuple[PlainMatrix, ...]
"""(gate, up, down)"""


@dataclass(frozen=True)
class PlainAttention:
    weights: AttentionWeights
    """For its norms and biases; the matrices are those below."""
    qkv: PlainMatrix
    out: PlainMatrix


@dataclass(frozen=True)
class PlainMoe:
    norm_D: Tensor
    router_ED: Tensor
    experts: list[PlainExpert]
    """Empty: not in memory, and no row wants it"""


@dataclass(frozen=True)
class PlainHead:
    norm_D: Tensor
    matrix: PlainMatrix


PlainCache = tuple[PlainKv, ...]
"""By layer"""


class PlainOps:
    """The Ops of PyTorch."""

    name = "torch"
    form = "rows"
    torch_threads = None
    tiles_from = None
    onednn_from = None

    def __init__(self, precision: Precision, model: DecoderConfig) -> None:
        self.precision = precision
        self.activation_type = FLOAT_TYPES[precision]
        self._model = model
        self._turn_PC = reference.rope_table(
            model.max_positions, model.head_dim, model.rope_theta, model.rope_scaling
        )

    def pack_attention(self, weights: AttentionWeights) -> PlainAttention:
        qkv, out = self._pack(weights.qkv_ND), self._pack(weights.out_DQ)
        nothing = torch.empty(0)
        return PlainAttention(replace(weights, qkv_ND=nothing, out_DQ=nothing), qkv, out)

    def pack_moe(
        self,
        norm_D: Tensor,
        router_ED: Tensor,
        gate: Sequence[Tensor],
        up: Sequence[Tensor],
        down: Sequence[Tensor],
    ) -> PlainMoe:
        moe = self.new_moe(norm_D, router_ED)
        memory = torch.empty((len(router_ED), self.expert_bytes), dtype=torch.uint8)
        for e, weights in enumerate(zip(gate, up, down)):
            self.pack_expert(*weights, memory[e])
            self.place_expert(moe, e, memory[e])
        return moe

    def new_moe(self, norm_D: Tensor, router_ED: Tensor) -> PlainMoe:
        return PlainMoe(norm_D, router_ED, [()] * len(router_ED))

    @property
    def expert_bytes(self) -> int:
        return whole_blocks(sum(_aligned(math.prod(shape) * of.itemsize) for shape, of in self._expert_parts))

    def pack_expert(self, gate_FD: Tensor, up_FD: Tensor, down_DF: Tensor, into: Tensor) -> None:
        parts = iter(self._parts(into))
        for weight in (gate_FD, up_FD, down_DF):
            is_int8 = self.precision is Precision.INT8
            for value in reference.quantise_rows(weight) if is_int8 else (weight,):
                next(parts).copy_(value)

    def random_expert(self, generator: torch.Generator, deviation: float, into: Tensor) -> None:
        for part in self._parts(into):
            if part.dtype is torch.int8:
                part.random_(-reference.INT8_MAX, reference.INT8_MAX + 1, generator=generator)
            else:
                part.fill_(deviation / UNIFORM_DEVIATION)

    def place_expert(self, moe: PlainMoe, expert: int, memory: Tensor | None) -> None:
        parts = [] if memory is None else self._parts(memory)
        if self.precision is Precision.INT8:
            moe.experts[expert] = tuple(map(Int8Matrix, parts[::2], parts[1::2]))
        else:
            moe.experts[expert] = tuple(map(FloatMatrix, parts))

    @property
    def _expert_parts(self) -> list[tuple[tuple[int, ...], torch.dtype]]:
        """Shapes of an expert's tensors: gate, up and down; with int8 each followed by its scales."""
        hidden, inner = self._model.hidden_size, self._model.intermediate_size
        shapes = ((inner, hidden), (inner, hidden), (hidden, inner))
        if self.precision is not Precision.INT8:
            return [(shape, self.activation_type) for shape in shapes]
        return [
            each for rows, depth in shapes for each in (((rows, depth), torch.int8), ((rows,), torch.float32))
        ]

    def _parts(self, memory: Tensor) -> list[Tensor]:
        parts, start = [], 0
        for shape, of in self._expert_parts:
            size = math.prod(shape) * of.itemsize
            parts.append(memory[start : start + size].view(of).view(shape))
            start += _aligned(size)
        return parts

    def pack_head(self, norm_D: Tensor, weight_VD: Tensor) -> PlainHead:
        return PlainHead(norm_D, FloatMatrix(weight_VD.to(self.activation_type, copy=True)))

    def new_cache(self, num_blocks: int, is_int8: bool = False) -> PlainCache:
        m, of = self._model, torch.int8 if is_int8 else self.activation_type
        rows = num_blocks * BLOCK_TOKENS
        return tuple(new_kv(rows, m.num_kv_heads, m.head_dim, of) for _ in range(m.num_layers))

    def add_attention(
        self, x_TD: Tensor, attention: PlainAttention, cache: PlainCache, layer: int, step: Step
    ) -> None:
        weights = attention.weights
        qkv_TN = _biased(attention.qkv.product(self._norm(x_TD, weights.norm_D)), weights.qkv_bias_N)
        h_TQ = self._attend(qkv_TN, weights, cache[layer], step)
        x_TD += _biased(attention.out.product(h_TQ), weights.out_bias_D)

    def route(self, x_TD: Tensor, moe: PlainMoe) -> Routing:
        h_TD = self._norm(x_TD, moe.norm_D)
        m = self._model
        weight_TA, expert_TA = reference.top_experts(
            h_TD, moe.router_ED, m.experts_per_token, m.renormalises_experts
        )
        return Routing(h_TD, *reference.sort_by_expert(expert_TA, len(moe.router_ED)), weight_TA)

    def add_experts(self, x_TD: Tensor, routing: Routing, moe: PlainMoe) -> None:
        starts = routing.start_E.tolist()
        out_RD = torch.empty((len(routing.row_R), x_TD.shape[1]))
        for e, expert in enumerate(moe.experts):
            here = slice(starts[e], starts[e + 1])
            if here.start == here.stop:
                continue
            gate, up, down = expert
            h_RD = routing.h_TD[routing.row_R[here]]
            inner_RF = F.silu(gate.product(h_RD)) * up.product(h_RD)
            out_RD[here] = down.product(inner_RF.to(self.activation_type))
        x_TD += (out_RD[routing.place_TA] * routing.weight_TA[..., None]).sum(1)

    def logits(self, x_LD: Tensor, head: PlainHead) -> Tensor:
        return head.matrix.product(self._norm(x_LD, head.norm_D))

    def argmax(self, logits_LV: Tensor) -> list[int]:
        best_L = logits_LV.argmax(-1, keepdim=True)  # of a row with NaN its first NaN
        tokens: list[int] = best_L.masked_fill(logits_LV.gather(-1, best_L).isnan(), -1).flatten().tolist()
        return tokens

    def used_precision(self, attention: PlainAttention) -> str:
        return str(attention.qkv.weight_ND.dtype).removeprefix("torch.")

    def kv_precision(self, cache: PlainCache) -> str:
        return str(cache[0].k_PKC.dtype).removeprefix("torch.")

    def _pack(self, weight_ND: Tensor) -> PlainMatrix:
        if self.precision is Precision.INT8:
            return Int8Matrix(*reference.quantise_rows(weight_ND))
        return FloatMatrix(weight_ND.to(self.activation_type, copy=True))

    def _norm(self, x_TD: Tensor, weight_D: Tensor) -> Tensor:
        return reference.rms_norm(x_TD, weight_D, self._model.rms_norm_eps).to(self.activation_type)

    def _head_norm(self, x_THC: Tensor, weight_C: Tensor | None) -> Tensor:
        if weight_C is None:
            return x_THC
        return reference.rms_norm(x_THC, weight_C, self._model.rms_norm_eps)

    def _attend(self, qkv_TN: Tensor, weights: AttentionWeights, kv: PlainKv, step: Step) -> Tensor:
        """Activations h_TQ; the rows' keys and values are kept in `kv`."""
        m = self._model
        rows = qkv_TN.view(len(qkv_TN), -1, m.head_dim)
        q_THC, k_TKC, v_TKC = rows.split((m.num_heads, m.num_kv_heads, m.num_kv_heads), dim=1)
        q_THC, k_TKC = self._head_norm(q_THC, weights.q_norm_C), self._head_norm(k_TKC, weights.k_norm_C)
        turn_TC = self._turn_PC[step.positions_T]
        q_THC, k_TKC = reference.rotate(q_THC, turn_TC), reference.rotate(k_TKC, turn_TC)
        out_TQ = torch.empty((len(rows), q_THC.shape[1] * q_THC.shape[2]), dtype=self.activation_type)
        starts, contexts = step.row_start_S.tolist(), step.context_S.tolist()
        table_starts = step.table_start_S.tolist()
        for s, context in enumerate(contexts):
            here = slice(starts[s], starts[s + 1])
            kv_rows = _rows_of(step.table[table_starts[s] : table_starts[s + 1]], context)
            start = context - (here.stop - here.start)
            kv.keep(kv_rows[start:], k_TKC[here], v_TKC[here])
            out = kv.attend(q_THC[here].to(self.activation_type), kv_rows, start)
            out_TQ[here] = out.flatten(1).to(self.activation_type)
        return out_TQ


def _biased(y_TN: Tensor, bias_N: Tensor | None) -> Tensor:
    return y_TN if bias_N is None else y_TN + bias_N


def _rows_of(blocks: Tensor, num_tokens: int) -> Tensor:
    """Cache rows of a sequence's first `num_tokens` tokens."""
    rows = blocks.long()[:, None] * BLOCK_TOKENS + torch.arange(BLOCK_TOKENS)
    return rows.flatten()[:num_tokens]


def _aligned(size: int) -> int:
    """Bytes, up to where a tensor of any type may begin."""
    return -(-size // 64) * 64
