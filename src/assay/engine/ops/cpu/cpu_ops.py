"""The ops by our own kernels: bfloat16, and int8 with one scale per weight column and per row.

Weights are packed once into panels of 64 columns (packer.py), keys and values into blocks that the same kernel
multiplies (attention.cpp). Residuals, scores and sums are float32. Legend in ops/__init__.py.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import Array
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.config import Precision
from assay.engine.decoder_config import DecoderConfig
from assay.engine.kv_blocks import BLOCK_TOKENS
from assay.engine.ops import (
    AttentionWeights,
    Routing,
    Step,
    TilesFrom,
    reference,
    untouched_zeros,
    whole_blocks,
)
from assay.engine.ops.cpu import library, onednn
from assay.engine.ops.cpu.instructions import InstructionSet, label
from assay.engine.ops.cpu.layout import ExpertLayout, MatrixLayout
from assay.engine.ops.cpu.library import at
from assay.engine.ops.cpu.packer import Packed, Packer
from assay.engine.ops.cpu.scratch import Scratch
from assay.engine.ops.cpu.step_room import CpuRouting, StepRoom, StepRooms


@dataclass(frozen=True)
class CpuAttention:
    norm_D: Tensor
    qkv: Packed
    out: Packed
    out_bias_D: Tensor | None
    kept: tuple[object, ...]
    """What `c` points to"""
    c: library.Attention


@dataclass(frozen=True)
class CpuMoe:
    kept: tuple[object, ...]
    c: library.Moe
    gate_ups: Array[library.Group]
    downs: Array[library.Group]
    experts: list[Tensor | None]
    """The bytes of each expert that is in memory"""


@dataclass(frozen=True)
class CpuHead:
    norm_D: Tensor
    matrix: Packed


@dataclass(frozen=True)
class CpuCache:
    """Keys and values of all layers, (layer, block, kv head, numbers), as cache.h says: bfloat16, or int8 with the
    bytes of the scales at the end."""

    keys: Tensor
    values: Tensor
    layers: tuple[library.Cache, ...]


def unsupported(model: DecoderConfig) -> str | None:
    """Why the kernels cannot run this shape, or None when they can."""
    for name, value, multiple in (
        ("hidden_size", model.hidden_size, 4),
        ("intermediate_size", model.intermediate_size, 4),
        ("head_dim", model.head_dim, 16),
    ):
        if value % multiple:
            return f"{name} {value} is not a multiple of {multiple}"
    if model.num_heads // model.num_kv_heads > 32:
        return f"{model.num_heads // model.num_kv_heads} query heads share a KV head, more than 32"
    return None


class CpuOps:
    """The Ops of our kernels. Threads and tiles are set per process: the set made last decides."""

    def __init__(
        self,
        lib: ctypes.CDLL,
        precision: Precision,
        model: DecoderConfig,
        threads: int,
        instructions: InstructionSet,
        tiles_from: TilesFrom | None = None,
        onednn_from: int | None = None,
    ) -> None:
        self._lib = lib
        self._model = model
        is_tiled = instructions is InstructionSet.AMX
        kind = (precision is Precision.INT8, is_tiled)
        self._packer = Packer(lib, *kind, shares_with_onednn=onednn_from is not None)
        self._scratch = Scratch(lib)
        self._rooms = StepRooms(self._scratch, model, *kind)
        self._turn_PC = reference.rope_table(
            model.max_positions, model.head_dim, model.rope_theta, model.rope_scaling
        )
        self._step: Step | None = None
        self._ragged = library.Ragged()
        self.form = "tiles" if is_tiled else "panels"
        hidden, inner = model.hidden_size, model.intermediate_size
        self._expert = ExpertLayout(
            MatrixLayout(inner, hidden, True, *kind), MatrixLayout(hidden, inner, False, *kind)
        )
        self.tiles_from = (tiles_from or TilesFrom()) if is_tiled else None
        fewest = self.tiles_from or TilesFrom()
        lib.assay_configure(threads, instructions, fewest.bfloat16, fewest.int8)
        self.onednn_from = onednn_from
        self.torch_threads = 1 if onednn_from is None else threads
        self.name = f"native {label(lib, instructions)}" + ("" if onednn_from is None else " and oneDNN")

    def pack_attention(self, weights: AttentionWeights) -> CpuAttention:
        m, w = self._model, weights
        qkv, out = self.pack_matrix(w.qkv_ND), self.pack_matrix(w.out_DQ)
        heads = library.Heads(m.num_heads, m.num_kv_heads, m.head_dim)
        extras = (w.qkv_bias_N, w.out_bias_D, w.q_norm_C, w.k_norm_C)
        addresses = (None if each is None else at(each) for each in extras)
        c = library.Attention(
            at(w.norm_D), m.rms_norm_eps, qkv.c, out.c, *addresses, heads, at(self._turn_PC)
        )
        return CpuAttention(w.norm_D, qkv, out, w.out_bias_D, extras, c)

    def pack_moe(
        self,
        norm_D: Tensor,
        router_ED: Tensor,
        gate: Sequence[Tensor],
        up: Sequence[Tensor],
        down: Sequence[Tensor],
    ) -> CpuMoe:
        moe = self.new_moe(norm_D, router_ED)
        memory = self._packer.memory(len(router_ED) * self.expert_bytes).view(len(router_ED), -1)
        for e, weights in enumerate(zip(gate, up, down)):
            self.pack_expert(*weights, memory[e])
            self.place_expert(moe, e, memory[e])
        return moe

    def new_moe(self, norm_D: Tensor, router_ED: Tensor) -> CpuMoe:
        m, router_ED = self._model, router_ED.contiguous()
        experts = len(router_ED)
        shape = (experts, m.experts_per_token, int(m.renormalises_experts))
        gate_ups, downs = ((library.Group * experts)() for _ in range(2))
        matrices = self._expert.gate_up.matrix(gate_ups), self._expert.down.matrix(downs)
        c = library.Moe(at(norm_D), m.rms_norm_eps, at(router_ED), *shape, *matrices)
        return CpuMoe((norm_D, router_ED), c, gate_ups, downs, [None] * experts)

    @property
    def expert_bytes(self) -> int:
        return whole_blocks(self._expert.size)

    def pack_expert(self, gate_FD: Tensor, up_FD: Tensor, down_DF: Tensor, into: Tensor) -> None:
        gate_up, down = self._expert.parts(into)
        self._packer.fill(self._expert.gate_up, gate_up, gate_FD, up_FD)
        self._packer.fill(self._expert.down, down, down_DF)

    def random_expert(self, generator: torch.Generator, deviation: float, into: Tensor) -> None:
        for layout, part in zip((self._expert.gate_up, self._expert.down), self._expert.parts(into)):
            layout.fill_random(part, generator, deviation)

    def place_expert(self, moe: CpuMoe, expert: int, memory: Tensor | None) -> None:
        moe.experts[expert] = memory
        address = 0 if memory is None else at(memory)
        moe.gate_ups[expert] = self._expert.gate_up.group(address)
        moe.downs[expert] = self._expert.down.group(address + self._expert.gate_up.size)

    def pack_head(self, norm_D: Tensor, weight_VD: Tensor) -> CpuHead:
        return CpuHead(norm_D, self._packer.head(weight_VD))

    def pack_matrix(self, weight_ND: Tensor) -> Packed:
        """One weight for `linear`, as Packer.matrix."""
        return self._packer.matrix(weight_ND)

    def new_cache(self, num_blocks: int, is_int8: bool = False) -> CpuCache:
        m = self._model
        scales = 4 * BLOCK_TOKENS if is_int8 else 0
        shape = (m.num_layers, num_blocks, m.num_kv_heads, m.head_dim * BLOCK_TOKENS + scales)
        of = torch.int8 if is_int8 else torch.bfloat16
        keys, values = (untouched_zeros(shape, of) for _ in range(2))
        layers = tuple(library.Cache(at(k), at(v), is_int8) for k, v in zip(keys, values))
        return CpuCache(keys, values, layers)

    def add_attention(
        self, x_TD: Tensor, attention: CpuAttention, cache: CpuCache, layer: int, step: Step
    ) -> None:
        room = self._rooms.of_step(len(x_TD))
        if step is not self._step:
            self._step, self._ragged = step, _ragged(step)
        if self._runs_on_onednn(len(x_TD), attention.qkv, attention.out):
            self._add_attention_apart(x_TD, attention, cache.layers[layer], room)
        else:
            self._lib.assay_add_attention(attention.c, cache.layers[layer], self._ragged, room.c, at(x_TD))

    def route(self, x_TD: Tensor, moe: CpuMoe) -> CpuRouting:
        room = self._rooms.of_step(len(x_TD))
        self._lib.assay_route(moe.c, at(x_TD), room.rows, room.routing.c)
        return room.routing

    def add_experts(self, x_TD: Tensor, routing: Routing, moe: CpuMoe) -> None:
        assert isinstance(routing, CpuRouting), "what route() gave"
        room = self._rooms.of_step(len(x_TD))
        self._lib.assay_add_experts(moe.c, routing.c, room.rows, room.c, at(x_TD))

    def logits(self, x_LD: Tensor, head: CpuHead) -> Tensor:
        return self.linear(self.norm(x_LD, head.norm_D), head.matrix)

    def argmax(self, logits_LV: Tensor) -> list[int]:
        best_L = torch.empty(len(logits_LV), dtype=torch.int32)
        self._lib.assay_argmax(at(logits_LV), *logits_LV.shape, at(best_L))
        tokens: list[int] = best_L.tolist()
        return tokens

    def norm(self, x_RD: Tensor, weight_D: Tensor) -> Tensor:
        """RMS norm of float32 rows, bfloat16."""
        h_RD = self._scratch.take("norm", x_RD.shape, torch.bfloat16)
        self._lib.assay_norm(at(x_RD), at(weight_D), self._model.rms_norm_eps, *x_RD.shape, at(h_RD))
        return h_RD

    def linear(self, h_RD: Tensor, matrix: Packed) -> Tensor:
        """h W^T, float32."""
        y_RN = self._scratch.take("linear", (len(h_RD), matrix.layout.columns))
        if self._runs_on_onednn(len(h_RD), matrix):
            self._take_onednn(h_RD, matrix, y_RN, False)
            return y_RN
        room = self._rooms.of_rows("row", len(h_RD), matrix.layout.depth, 1)
        self._lib.assay_product(matrix.c, at(h_RD), len(h_RD), room, at(y_RN))
        return y_RN

    def used_precision(self, attention: CpuAttention) -> str:
        return str(attention.qkv.memory.dtype).removeprefix("torch.")

    def kv_precision(self, cache: CpuCache) -> str:
        return str(cache.keys.dtype).removeprefix("torch.")

    def _runs_on_onednn(self, rows: int, *matrices: Packed) -> bool:
        return (
            self.onednn_from is not None
            and rows >= self.onednn_from
            and all(matrix.onednn is not None for matrix in matrices)
        )

    def _add_attention_apart(
        self, x_TD: Tensor, attention: CpuAttention, cache: library.Cache, room: StepRoom
    ) -> None:
        """add_attention with both projections by oneDNN."""
        eps = self._model.rms_norm_eps
        self._lib.assay_norm(at(x_TD), at(attention.norm_D), eps, *x_TD.shape, at(room.h_TD))
        self._take_onednn(room.h_TD, attention.qkv, room.qkv_TN, False)
        self._lib.assay_attend(attention.c, cache, self._ragged, room.c)
        self._take_onednn(room.attended_TQ, attention.out, x_TD, True, attention.out_bias_D)

    def _take_onednn(
        self, h_RD: Tensor, matrix: Packed, out_RN: Tensor, adds: bool, bias_N: Tensor | None = None
    ) -> None:
        """out (+)= h W^T + bias"""
        assert matrix.onednn is not None, "a weight that oneDNN reads"
        y_RN = onednn.product(h_RD, matrix.onednn)
        bias = None if bias_N is None else at(bias_N)
        self._lib.assay_take(at(y_RN), bias, *out_RN.shape, int(adds), at(out_RN))


def _ragged(step: Step) -> library.Ragged:
    arrays = (step.positions_T, step.row_start_S, step.context_S, step.table_start_S, step.table)
    return library.Ragged(len(step.positions_T), len(step.context_S), *map(at, arrays))
