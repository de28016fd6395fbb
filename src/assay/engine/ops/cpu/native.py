"""The ops by our own kernels: bfloat16, and int8 with one scale per weight column and per row.

Weights are packed once into panels of 64 columns (grouped.h says how), keys and values into blocks that the
same kernel multiplies (attention.cpp). Residuals, scores and sums are float32. Legend in ops/__init__.py.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Sequence
from ctypes import byref
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.config import Precision
from assay.engine.config import MixtralConfig
from assay.engine.kv_blocks import BLOCK_TOKENS
from assay.engine.ops import Routing, Step, untouched_zeros
from assay.engine.ops.cpu.library import Cache, Grouped, Heads, Ragged, Scales, Source, at

PANEL = 64
"""Columns of a packed panel"""
PANEL_HALF = PANEL // 2


@dataclass(frozen=True)
class Packed:
    """Weights of G groups as [group][panel][step][64] words of 32 bits along the inner dimension."""

    words: Tensor
    """(G, panels, steps, 64 * numbers in a word), bfloat16 or int8"""
    columns: int
    """Outputs of a group, before padding to whole panels"""
    scale: Tensor | None = None
    """int8: float32 per packed column"""
    offset: Tensor | None = None
    """int8: int32 per packed column; 128 times the sum of its weights"""


@dataclass(frozen=True)
class Rows:
    """Activations that enter a product: bfloat16, or uint8 (value + 128) with a float32 scale per row."""

    values: Tensor
    scale: Tensor | None = None


@dataclass(frozen=True)
class NativeExperts:
    gate_up: Packed
    down: Packed


@dataclass(frozen=True)
class NativeCache:
    """Keys and values of all layers, (layer, block, kv head, channel * 16 tokens), bfloat16."""

    keys: Tensor
    values: Tensor
    heads: Heads


class Scratch:
    """Memory for the rows of a step, kept from step to step: fresh pages would cost a tenth of the step."""

    def __init__(self, lib: ctypes.CDLL) -> None:
        self._lib = lib
        self._kept: dict[str, Tensor] = {}

    def take(self, name: str, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
        """Room of this shape, with whatever is in it. It is taken away by the next call with the same name."""
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or len(kept) < size:
            kept = self._kept[name] = torch.empty(size, dtype=dtype)
            self._lib.assay_huge_pages(at(kept), kept.nbytes)
        return kept[:size].view(*shape)


def unsupported(model: MixtralConfig) -> str | None:
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

    torch_threads = 1

    def __init__(self, lib: ctypes.CDLL, precision: Precision, threads: int, portable: bool = False) -> None:
        self._lib = lib
        self._scratch = Scratch(lib)
        self._is_int8 = precision is Precision.INT8
        has_vector = bool(lib.assay_has_vector()) and not portable
        lib.assay_configure(threads, int(has_vector))
        self.name = "native AVX-512" if has_vector else "native portable"

    def pack_matrix(self, weight_ND: Tensor) -> Packed:
        return self._pack([(weight_ND, None)], self._is_int8)

    def pack_head(self, weight_VD: Tensor) -> Packed:
        return self._pack([(weight_VD, None)], is_int8=False)

    def pack_experts(
        self, gate: Sequence[Tensor], up: Sequence[Tensor], down: Sequence[Tensor]
    ) -> NativeExperts:
        pairs, alone = list(zip(gate, up)), [(each, None) for each in down]
        return NativeExperts(self._pack(pairs, self._is_int8), self._pack(alone, self._is_int8))

    def new_cache(self, config: MixtralConfig, num_blocks: int) -> NativeCache:
        shape = (config.num_layers, num_blocks, config.num_kv_heads, config.head_dim * BLOCK_TOKENS)
        keys, values = (untouched_zeros(shape, torch.bfloat16) for _ in range(2))
        return NativeCache(keys, values, Heads(config.num_heads, config.num_kv_heads, config.head_dim))

    def norm(self, x_TD: Tensor, weight_D: Tensor, eps: float) -> Tensor:
        h_TD = self._scratch.take("norm", x_TD.shape, torch.bfloat16)
        self._lib.assay_norm(at(x_TD), at(weight_D), eps, *x_TD.shape, at(h_TD))
        return h_TD

    def linear(self, h_TD: Tensor, matrix: Packed) -> Tensor:
        y_TN = self._scratch.take("linear", (len(h_TD), matrix.columns))
        self._product(h_TD, matrix, y_TN, _one_group(len(h_TD)), None, add=False)
        return y_TN

    def add_linear(self, x_TN: Tensor, h_TD: Tensor, matrix: Packed) -> None:
        self._product(h_TD, matrix, x_TN, _one_group(len(h_TD)), None, add=True)

    def attend(self, qkv_TN: Tensor, cache: NativeCache, layer: int, step: Step, turn_PC: Tensor) -> Tensor:
        shape = (len(qkv_TN), cache.heads.query * cache.heads.channels)
        h_TQ, turned_TQ = (self._scratch.take(name, shape, torch.bfloat16) for name in ("attend", "turned"))
        ragged = Ragged(
            len(step.context_S),
            at(step.row_start_S),
            at(step.context_S),
            at(step.table_start_S),
            at(step.table),
        )
        memory = Cache(at(cache.keys[layer]), at(cache.values[layer]))
        self._lib.assay_attend(
            at(qkv_TN),
            at(turn_PC),
            at(step.positions_T),
            byref(cache.heads),
            byref(ragged),
            byref(memory),
            at(turned_TQ),
            at(h_TQ),
        )
        return h_TQ

    def route(self, h_TD: Tensor, gate_ED: Tensor, active: int) -> Routing:
        rows, experts = len(h_TD), len(gate_ED)
        start_E, row_R, place_TA = (
            torch.empty(shape, dtype=torch.int32) for shape in (experts + 1, rows * active, (rows, active))
        )
        weight_TA = torch.empty((rows, active))
        out = (at(start_E), at(row_R), at(place_TA), at(weight_TA))
        self._lib.assay_route(at(h_TD), at(gate_ED), rows, h_TD.shape[1], experts, active, *out)
        return Routing(start_E, row_R, place_TA, weight_TA)

    def add_experts(self, x_TD: Tensor, h_TD: Tensor, routing: Routing, experts: NativeExperts) -> None:
        inner_RF = self._gate_up(h_TD, experts.gate_up, routing)
        y_RD = self._scratch.take("experts", (len(inner_RF), x_TD.shape[1]))
        self._product(inner_RF, experts.down, y_RD, routing.start_E, None, add=False)
        rows, active = routing.weight_TA.shape
        self._lib.assay_combine(
            at(y_RD), at(routing.place_TA), at(routing.weight_TA), rows, active, x_TD.shape[1], at(x_TD)
        )

    def used_precision(self, matrix: Packed) -> str:
        return str(matrix.words.dtype).removeprefix("torch.")

    def _gate_up(self, h_TD: Tensor, weights: Packed, routing: Routing) -> Tensor:
        inner_RF = self._scratch.take("inner", (len(routing.row_R), weights.columns // 2), torch.bfloat16)
        rows = self._rows(h_TD, weights)
        grouped, scales = _grouped(rows, weights, routing.start_E, routing.row_R), _scales(rows, weights)
        if scales is None:
            self._lib.assay_gate_up_bf16(byref(grouped), at(inner_RF), inner_RF.shape[1])
        else:
            self._lib.assay_gate_up_int8(byref(grouped), byref(scales), at(inner_RF), inner_RF.shape[1])
        return inner_RF

    def _product(
        self,
        h_RD: Tensor,
        weights: Packed,
        out_RN: Tensor,
        start_E: Tensor,
        row_R: Tensor | None,
        *,
        add: bool,
    ) -> None:
        rows = self._rows(h_RD, weights)
        grouped, scales = _grouped(rows, weights, start_E, row_R), _scales(rows, weights)
        if scales is None:
            self._lib.assay_product_bf16(byref(grouped), at(out_RN), weights.columns, add)
        else:
            self._lib.assay_product_int8(byref(grouped), byref(scales), at(out_RN), weights.columns, add)

    def _rows(self, h_RD: Tensor, weights: Packed) -> Rows:
        """Rows in the number format of the weights."""
        if weights.scale is None:
            return Rows(h_RD)
        count, width = h_RD.shape
        values = self._scratch.take("rounded", (count, -(-width // 4) * 4), torch.uint8)
        scale = self._scratch.take("scale", (count,))
        self._lib.assay_quantise(at(h_RD), count, width, at(values), values.shape[1], at(scale))
        return Rows(values, scale)

    def _pack(self, groups: Sequence[tuple[Tensor, Tensor | None]], is_int8: bool) -> Packed:
        """Pack one weight per group; a pair (gate, up) shares its panels half and half."""
        is_pair = groups[0][1] is not None
        (rows, depth), width = groups[0][0].shape, PANEL_HALF if is_pair else PANEL
        panels, per_word = -(-rows // width), 4 if is_int8 else 2
        steps = -(-depth // per_word)
        dtype = torch.int8 if is_int8 else torch.bfloat16
        words = torch.empty((len(groups), panels, steps, PANEL * per_word), dtype=dtype)
        self._lib.assay_huge_pages(at(words), words.nbytes)
        scale = torch.empty((len(groups), panels * PANEL)) if is_int8 else None
        offset = torch.empty((len(groups), panels * PANEL), dtype=torch.int32) if is_int8 else None
        for group, pair in enumerate(groups):
            weights = [_readable(weight) for weight in pair if weight is not None]
            second = at(weights[1]) if len(weights) == 2 else None
            is_bf16 = weights[0].dtype is torch.bfloat16
            source = Source(at(weights[0]), second, rows, depth, is_bf16)
            if scale is None or offset is None:
                self._lib.assay_pack_bf16(byref(source), panels, steps, at(words[group]))
            else:
                out = (at(words[group]), at(scale[group]), at(offset[group]))
                self._lib.assay_pack_int8(byref(source), panels, steps, *out)
        return Packed(words, 2 * rows if is_pair else rows, scale, offset)


@functools.lru_cache(maxsize=2)
def _one_group(rows: int) -> Tensor:
    return torch.tensor([0, rows], dtype=torch.int32)


def _readable(weight_ND: Tensor) -> Tensor:
    """The weight as the packer reads it: bfloat16 where it lies, all else as float32."""
    return (weight_ND if weight_ND.dtype is torch.bfloat16 else weight_ND.float()).contiguous()


def _grouped(rows: Rows, weights: Packed, start_E: Tensor, row_R: Tensor | None) -> Grouped:
    groups, panels, steps, _ = weights.words.shape
    stride = rows.values.shape[1] * rows.values.element_size() // 4
    sorted_rows = None if row_R is None else at(row_R)
    return Grouped(
        groups, at(start_E), sorted_rows, at(rows.values), stride, at(weights.words), panels, steps
    )


def _scales(rows: Rows, weights: Packed) -> Scales | None:
    """Addresses only: `rows` and `weights` must outlive it."""
    if rows.scale is None or weights.scale is None or weights.offset is None:
        return None
    return Scales(at(rows.scale), at(weights.scale), at(weights.offset))
