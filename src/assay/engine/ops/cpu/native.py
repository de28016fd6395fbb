"""The ops by our own kernels: bfloat16, and int8 with one scale per weight column and per row.

Weights are packed once into panels of 64 columns (Matrix in kernels.h says how), keys and values into blocks that
the same kernel multiplies (attention.cpp). Residuals, scores and sums are float32. Legend in ops/__init__.py.
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
from assay.engine.ops.cpu.instructions import InstructionSet
from assay.engine.ops.cpu.layout import SIDE, ExpertLayout, MatrixLayout
from assay.engine.ops.cpu.library import at
from assay.engine.ops.cpu.scratch import Scratch


@dataclass(frozen=True)
class Packed:
    """One packed weight in memory of its own."""

    layout: MatrixLayout
    memory: Tensor
    """bfloat16 or int8, layout.size bytes; of int8 the end is scales and offsets"""
    table: Array[library.Group]
    onednn: Tensor | None = None
    """The same memory as oneDNN knows it, which owns it then"""

    @property
    def c(self) -> library.Matrix:
        """For the kernels: addresses only, which this object must outlive."""
        return self.layout.matrix(self.table)


@dataclass(frozen=True)
class NativeAttention:
    norm_D: Tensor
    qkv: Packed
    out: Packed
    out_bias_D: Tensor | None
    kept: tuple[object, ...]
    """What `c` points to"""
    c: library.Attention


@dataclass(frozen=True)
class NativeMoe:
    kept: tuple[object, ...]
    c: library.Moe
    gate_ups: Array[library.Group]
    downs: Array[library.Group]
    experts: list[Tensor | None]
    """The bytes of each expert that is in memory"""


@dataclass(frozen=True)
class NativeHead:
    norm_D: Tensor
    matrix: Packed


@dataclass(frozen=True)
class NativeCache:
    """Keys and values of all layers, (layer, block, kv head, numbers), as cache.h says: bfloat16, or int8 with the
    bytes of the scales at the end."""

    keys: Tensor
    values: Tensor
    layers: tuple[library.Cache, ...]


@dataclass(frozen=True)
class NativeRouting(Routing):
    c: library.RoutingPointers


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


class NativeOps:
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
        self._scratch = Scratch(lib)
        self._is_int8 = precision is Precision.INT8
        self._turn_PC = reference.rope_table(
            model.max_positions, model.head_dim, model.rope_theta, model.rope_scaling
        )
        self._rows = 0
        self._room, self._rows_kept = library.Room(), tuple[Tensor, ...]()
        self._routing: NativeRouting
        self._step: Step | None = None
        self._ragged = library.Ragged()
        self._is_tiled = instructions is InstructionSet.AMX
        self.form = "tiles" if self._is_tiled else "panels"
        hidden, inner, kind = model.hidden_size, model.intermediate_size, (self._is_int8, self._is_tiled)
        self._expert = ExpertLayout(
            MatrixLayout(inner, hidden, True, *kind), MatrixLayout(hidden, inner, False, *kind)
        )
        self.tiles_from = (tiles_from or TilesFrom()) if self._is_tiled else None
        fewest = self.tiles_from or TilesFrom()
        lib.assay_configure(threads, instructions, fewest.bfloat16, fewest.int8)
        assert onednn_from is None or not self._is_int8, "oneDNN multiplies bfloat16 here"
        self.onednn_from = onednn_from
        self.torch_threads = 1 if onednn_from is None else threads
        self.name = f"native {instructions.label}" + ("" if onednn_from is None else " and oneDNN")

    def pack_attention(self, weights: AttentionWeights) -> NativeAttention:
        m, w = self._model, weights
        qkv, out = self.pack_matrix(w.qkv_ND), self.pack_matrix(w.out_DQ)
        heads = library.Heads(m.num_heads, m.num_kv_heads, m.head_dim)
        extras = (w.qkv_bias_N, w.out_bias_D, w.q_norm_C, w.k_norm_C)
        addresses = (None if each is None else at(each) for each in extras)
        c = library.Attention(
            at(w.norm_D), m.rms_norm_eps, qkv.c, out.c, *addresses, heads, at(self._turn_PC)
        )
        return NativeAttention(w.norm_D, qkv, out, w.out_bias_D, extras, c)

    def pack_moe(
        self,
        norm_D: Tensor,
        router_ED: Tensor,
        gate: Sequence[Tensor],
        up: Sequence[Tensor],
        down: Sequence[Tensor],
    ) -> NativeMoe:
        moe = self.new_moe(norm_D, router_ED)
        memory = self._memory(len(router_ED) * self.expert_bytes).view(len(router_ED), -1)
        for e, weights in enumerate(zip(gate, up, down)):
            self.pack_expert(*weights, memory[e])
            self.place_expert(moe, e, memory[e])
        return moe

    def new_moe(self, norm_D: Tensor, router_ED: Tensor) -> NativeMoe:
        m, router_ED = self._model, router_ED.contiguous()
        experts = len(router_ED)
        shape = (experts, m.experts_per_token, int(m.renormalises_experts))
        gate_ups, downs = ((library.Group * experts)() for _ in range(2))
        matrices = self._expert.gate_up.matrix(gate_ups), self._expert.down.matrix(downs)
        c = library.Moe(at(norm_D), m.rms_norm_eps, at(router_ED), *shape, *matrices)
        return NativeMoe((norm_D, router_ED), c, gate_ups, downs, [None] * experts)

    @property
    def expert_bytes(self) -> int:
        return whole_blocks(self._expert.size)

    def pack_expert(self, gate_FD: Tensor, up_FD: Tensor, down_DF: Tensor, into: Tensor) -> None:
        gate_up, down = self._expert.parts(into)
        self._fill(self._expert.gate_up, gate_up, gate_FD, up_FD)
        self._fill(self._expert.down, down, down_DF)

    def random_expert(self, generator: torch.Generator, deviation: float, into: Tensor) -> None:
        for layout, part in zip((self._expert.gate_up, self._expert.down), self._expert.parts(into)):
            layout.fill_random(part, generator, deviation)

    def place_expert(self, moe: NativeMoe, expert: int, memory: Tensor | None) -> None:
        moe.experts[expert] = memory
        address = 0 if memory is None else at(memory)
        moe.gate_ups[expert] = self._expert.gate_up.group(address)
        moe.downs[expert] = self._expert.down.group(address + self._expert.gate_up.size)

    def pack_head(self, norm_D: Tensor, weight_VD: Tensor) -> NativeHead:
        return NativeHead(norm_D, self._packed(weight_VD, False, self._is_tiled))

    def pack_matrix(self, weight_ND: Tensor) -> Packed:
        """One weight in the precision of the set; shared with oneDNN where that runs and packs it alike."""
        if self.onednn_from is not None:
            ours = self._packed(weight_ND, False, False)
            if (theirs := onednn.packed_alike(weight_ND, ours.memory)) is not None:
                memory = onednn.bytes_of(theirs)
                self._lib.assay_huge_pages(at(memory), memory.nbytes)
                table = (library.Group * 1)(ours.layout.group(at(memory)))
                return Packed(ours.layout, memory.view(torch.bfloat16), table, theirs)
        return self._packed(weight_ND, self._is_int8, self._is_tiled)

    def new_cache(self, num_blocks: int, is_int8: bool = False) -> NativeCache:
        m = self._model
        scales = 4 * BLOCK_TOKENS if is_int8 else 0
        shape = (m.num_layers, num_blocks, m.num_kv_heads, m.head_dim * BLOCK_TOKENS + scales)
        of = torch.int8 if is_int8 else torch.bfloat16
        keys, values = (untouched_zeros(shape, of) for _ in range(2))
        layers = tuple(library.Cache(at(k), at(v), is_int8) for k, v in zip(keys, values))
        return NativeCache(keys, values, layers)

    def add_attention(
        self, x_TD: Tensor, attention: NativeAttention, cache: NativeCache, layer: int, step: Step
    ) -> None:
        self._make_room(len(x_TD))
        if step is not self._step:
            self._step, self._ragged = step, _ragged(step)
        if self._runs_on_onednn(len(x_TD), attention.qkv, attention.out):
            self._add_attention_apart(x_TD, attention, cache.layers[layer])
        else:
            self._lib.assay_add_attention(
                attention.c, cache.layers[layer], self._ragged, self._room, at(x_TD)
            )

    def route(self, x_TD: Tensor, moe: NativeMoe) -> NativeRouting:
        self._make_room(len(x_TD))
        self._lib.assay_route(moe.c, at(x_TD), self._rows, self._routing.c)
        return self._routing

    def add_experts(self, x_TD: Tensor, routing: Routing, moe: NativeMoe) -> None:
        assert isinstance(routing, NativeRouting), "what route() gave"
        self._make_room(len(x_TD))
        self._lib.assay_add_experts(moe.c, routing.c, self._rows, self._room, at(x_TD))

    def logits(self, x_LD: Tensor, head: NativeHead) -> Tensor:
        return self.linear(self.norm(x_LD, head.norm_D), head.matrix)

    def argmax(self, logits_LV: Tensor) -> list[int]:
        best_L = torch.empty(len(logits_LV), dtype=torch.int32)
        self._lib.assay_argmax(at(logits_LV), *logits_LV.shape, at(best_L))
        tokens: list[int] = best_L.tolist()
        assert min(tokens, default=0) >= 0, "the scores of a row are NaN"
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
        room = self._row_room("row", len(h_RD), matrix.layout.depth, 1)
        self._lib.assay_product(matrix.c, at(h_RD), len(h_RD), room, at(y_RN))
        return y_RN

    def used_precision(self, attention: NativeAttention) -> str:
        return str(attention.qkv.memory.dtype).removeprefix("torch.")

    def kv_precision(self, cache: NativeCache) -> str:
        return str(cache.keys.dtype).removeprefix("torch.")

    def _runs_on_onednn(self, rows: int, *matrices: Packed) -> bool:
        return (
            self.onednn_from is not None
            and rows >= self.onednn_from
            and all(matrix.onednn is not None for matrix in matrices)
        )

    def _add_attention_apart(self, x_TD: Tensor, attention: NativeAttention, cache: library.Cache) -> None:
        """add_attention with both projections by oneDNN."""
        h_TD, qkv_TN, _, h_TQ, *_ = self._rows_kept
        self._lib.assay_norm(at(x_TD), at(attention.norm_D), self._model.rms_norm_eps, *x_TD.shape, at(h_TD))
        self._take_onednn(h_TD, attention.qkv, qkv_TN, False)
        self._lib.assay_attend(attention.c, cache, self._ragged, self._room)
        self._take_onednn(h_TQ, attention.out, x_TD, True, attention.out_bias_D)

    def _take_onednn(
        self, h_RD: Tensor, matrix: Packed, out_RN: Tensor, adds: bool, bias_N: Tensor | None = None
    ) -> None:
        """out (+)= h W^T + bias"""
        assert matrix.onednn is not None, "a weight that oneDNN reads"
        y_RN = onednn.product(h_RD, matrix.onednn)
        bias = None if bias_N is None else at(bias_N)
        self._lib.assay_take(at(y_RN), bias, *out_RN.shape, int(adds), at(out_RN))

    def _make_room(self, rows: int) -> None:
        """Have memory for a step of `rows` rows; the last step's where it has as many."""
        if rows == self._rows:
            return
        m, take, low = self._model, self._scratch.take, torch.bfloat16
        sorted_rows = rows * m.experts_per_token
        kept = (
            take("h", (rows, m.hidden_size), low),
            take("qkv", (rows, m.q_size + 2 * m.kv_size)),
            take("turned", (rows, m.q_size), low),
            take("attended", (rows, m.q_size), low),
            take("inner", (sorted_rows, m.intermediate_size), low),
            take("experts", (sorted_rows, m.hidden_size)),
        )
        widest = max(m.hidden_size, m.q_size, m.intermediate_size)
        row_room = self._row_room("rounded", sorted_rows, widest, m.num_experts)
        self._rows_kept, self._room = kept, library.Room(*map(at, kept), row_room)
        tensors = (
            take("routed", (rows, m.hidden_size), low),
            take("start", (m.num_experts + 1,), torch.int32),
            take("row", (sorted_rows,), torch.int32),
            take("place", (rows, m.experts_per_token), torch.int32),
            take("weight", (rows, m.experts_per_token)),
        )
        self._routing = NativeRouting(*tensors, library.RoutingPointers(*map(at, tensors)))
        self._rows = rows

    def _row_room(self, name: str, rows: int, width: int, groups: int) -> library.RowRoom:
        """Room for the rows of products: int8 rows in whole words, tiles of the rows of each group."""
        values = scales = tiles = None
        if self._is_int8:
            values = self._scratch.take(f"{name} values", (rows, -(-width // 4) * 4), torch.uint8)
            scales = self._scratch.take(f"{name} scales", (rows,))
        if self._is_tiled:
            most = -(-rows // SIDE) + groups  # each group may end in a tile that is not full
            words = -(-width // (2 * SIDE)) * SIDE
            tiles = self._scratch.take(f"{name} tiles", (most * SIDE, words), torch.int32)
        return library.RowRoom(*(None if each is None else at(each) for each in (values, scales, tiles)))

    def _packed(self, weight_ND: Tensor, is_int8: bool, is_tiled: bool) -> Packed:
        rows, depth = weight_ND.shape
        layout = MatrixLayout(rows, depth, False, is_int8, is_tiled)
        memory = self._memory(layout.size)
        self._fill(layout, memory, weight_ND)
        typed = memory.view(torch.int8 if is_int8 else torch.bfloat16)
        return Packed(layout, typed, (library.Group * 1)(layout.group(at(memory))))

    def _fill(self, layout: MatrixLayout, memory: Tensor, *weights: Tensor) -> None:
        """Pack a weight, or gate and up, into memory of layout.size bytes."""
        readable = [_readable(weight) for weight in weights]
        addresses = [at(weight) for weight in readable] + [None]
        is_bf16 = readable[0].dtype is torch.bfloat16
        source = library.Source(*addresses[:2], layout.rows, layout.depth, is_bf16)
        self._lib.assay_pack(source, layout.matrix((library.Group * 1)(layout.group(at(memory)))), 0)

    def _memory(self, size: int) -> Tensor:
        memory = torch.empty(size, dtype=torch.uint8)
        self._lib.assay_huge_pages(at(memory), size)
        return memory


def _ragged(step: Step) -> library.Ragged:
    arrays = (step.positions_T, step.row_start_S, step.context_S, step.table_start_S, step.table)
    return library.Ragged(len(step.positions_T), len(step.context_S), *map(at, arrays))


def _readable(weight_ND: Tensor) -> Tensor:
    """The weight as the packer reads it: bfloat16 where it lies, all else as float32."""
    return (weight_ND if weight_ND.dtype is torch.bfloat16 else weight_ND.float()).contiguous()
