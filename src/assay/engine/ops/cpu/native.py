"""The ops by our own kernels: bfloat16, and int8 with one scale per weight column and per row.

Weights are packed once into panels of 64 columns (Matrix in kernels.h says how), keys and values into blocks that
the same kernel multiplies (attention.cpp). Residuals, scores and sums are float32. Legend in ops/__init__.py.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.config import Precision
from assay.engine.config import MixtralConfig
from assay.engine.kv_blocks import BLOCK_TOKENS
from assay.engine.ops import Routing, Step, TilesFrom, reference, untouched_zeros
from assay.engine.ops.cpu import library
from assay.engine.ops.cpu.instructions import InstructionSet
from assay.engine.ops.cpu.library import at

PANEL = 64
"""Columns of a packed panel"""
PANEL_HALF = PANEL // 2
SIDE = 16
"""Rows, steps and columns of a tile"""
PER_WORD = {torch.bfloat16: 2, torch.int8: 4}
"""Numbers in 32 bits"""


@dataclass(frozen=True)
class Packed:
    """Weights of G groups as [group][panel][step][64] words of 32 bits along the inner dimension; as tiles, each 16
    steps are four squares of 16 steps x 16 columns."""

    words: Tensor
    """(G, panels, steps, 64 * numbers in a word), bfloat16 or int8; as tiles, steps are whole blocks of 16"""
    columns: int
    """Outputs of a group, before padding to whole panels"""
    depth: int
    """Inputs of a group"""
    scale: Tensor | None = None
    """int8: float32 per packed column"""
    offset: Tensor | None = None
    """int8: int32 per packed column; 128 times the sum of its weights"""
    is_tiled: bool = False

    @property
    def c(self) -> library.Matrix:
        """For the kernels: addresses only, which this object must outlive."""
        groups, panels, _, _ = self.words.shape
        steps = -(-self.depth // PER_WORD[self.words.dtype])
        scale, offset = (None if each is None else at(each) for each in (self.scale, self.offset))
        shape = (groups, panels, steps, self.columns, self.depth, int(self.is_tiled))
        return library.Matrix(at(self.words), scale, offset, *shape)


@dataclass(frozen=True)
class NativeAttention:
    qkv: Packed
    kept: tuple[object, ...]
    """What `c` points to"""
    c: library.Attention


@dataclass(frozen=True)
class NativeMoe:
    kept: tuple[object, ...]
    c: library.Moe


@dataclass(frozen=True)
class NativeHead:
    norm_D: Tensor
    matrix: Packed


@dataclass(frozen=True)
class NativeCache:
    """Keys and values of all layers, (layer, block, kv head, channel * 16 tokens), bfloat16."""

    keys: Tensor
    values: Tensor
    layers: tuple[library.Cache, ...]


@dataclass(frozen=True)
class NativeRouting(Routing):
    c: library.Routing


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

    def __init__(
        self,
        lib: ctypes.CDLL,
        precision: Precision,
        model: MixtralConfig,
        threads: int,
        instructions: InstructionSet,
        tiles_from: TilesFrom | None = None,
    ) -> None:
        self._lib = lib
        self._model = model
        self._scratch = Scratch(lib)
        self._is_int8 = precision is Precision.INT8
        self._turn_PC = reference.rope_table(model.max_positions, model.head_dim, model.rope_theta)
        self._rows = 0
        self._room = library.Room()
        self._routing: NativeRouting
        self._step: Step | None = None
        self._ragged = library.Ragged()
        self._is_tiled = instructions is InstructionSet.AMX
        self.tiles_from = (tiles_from or TilesFrom()) if self._is_tiled else None
        fewest = self.tiles_from or TilesFrom()
        lib.assay_configure(threads, instructions, fewest.bfloat16, fewest.int8)
        self.name = f"native {instructions.label}"

    def pack_attention(self, norm_D: Tensor, qkv_ND: Tensor, out_DQ: Tensor) -> NativeAttention:
        m = self._model
        qkv, out = self.pack_matrix(qkv_ND), self.pack_matrix(out_DQ)
        heads = library.Heads(m.num_heads, m.num_kv_heads, m.head_dim)
        c = library.Attention(at(norm_D), m.rms_norm_eps, qkv.c, out.c, heads, at(self._turn_PC))
        return NativeAttention(qkv, (norm_D, qkv, out), c)

    def pack_moe(
        self,
        norm_D: Tensor,
        router_ED: Tensor,
        gate: Sequence[Tensor],
        up: Sequence[Tensor],
        down: Sequence[Tensor],
    ) -> NativeMoe:
        m, router_ED = self._model, router_ED.contiguous()
        gate_up = self._pack(list(zip(gate, up)), self._is_int8)
        downs = self._pack([(each, None) for each in down], self._is_int8)
        eps, experts, active = m.rms_norm_eps, len(router_ED), m.experts_per_token
        c = library.Moe(at(norm_D), eps, at(router_ED), experts, active, gate_up.c, downs.c)
        return NativeMoe((norm_D, router_ED, gate_up, downs), c)

    def pack_head(self, norm_D: Tensor, weight_VD: Tensor) -> NativeHead:
        return NativeHead(norm_D, self._pack([(weight_VD, None)], is_int8=False))

    def pack_matrix(self, weight_ND: Tensor) -> Packed:
        """One weight in the precision of the set."""
        return self._pack([(weight_ND, None)], self._is_int8)

    def new_cache(self, num_blocks: int) -> NativeCache:
        m = self._model
        shape = (m.num_layers, num_blocks, m.num_kv_heads, m.head_dim * BLOCK_TOKENS)
        keys, values = (untouched_zeros(shape, torch.bfloat16) for _ in range(2))
        return NativeCache(keys, values, tuple(library.Cache(at(k), at(v)) for k, v in zip(keys, values)))

    def add_attention(
        self, x_TD: Tensor, attention: NativeAttention, cache: NativeCache, layer: int, step: Step
    ) -> None:
        self._make_room(len(x_TD))
        if step is not self._step:
            self._step, self._ragged = step, _ragged(step)
        self._lib.assay_add_attention(attention.c, cache.layers[layer], self._ragged, self._room, at(x_TD))

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
        y_RN = self._scratch.take("linear", (len(h_RD), matrix.columns))
        room = self._row_room("row", len(h_RD), matrix.depth, 1)
        self._lib.assay_product(matrix.c, at(h_RD), len(h_RD), room, at(y_RN))
        return y_RN

    def used_precision(self, attention: NativeAttention) -> str:
        return str(attention.qkv.words.dtype).removeprefix("torch.")

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
        self._room = library.Room(*map(at, kept), row_room)
        tensors = (
            take("routed", (rows, m.hidden_size), low),
            take("start", (m.num_experts + 1,), torch.int32),
            take("row", (sorted_rows,), torch.int32),
            take("place", (rows, m.experts_per_token), torch.int32),
            take("weight", (rows, m.experts_per_token)),
        )
        self._routing = NativeRouting(*tensors, library.Routing(*map(at, tensors)))
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

    def _pack(self, groups: Sequence[tuple[Tensor, Tensor | None]], is_int8: bool) -> Packed:
        """Pack one weight per group; a pair (gate, up) shares its panels half and half."""
        is_pair = groups[0][1] is not None
        (rows, depth), width = groups[0][0].shape, PANEL_HALF if is_pair else PANEL
        panels, per_word = -(-rows // width), 4 if is_int8 else 2
        steps = -(-depth // per_word)
        if self._is_tiled:
            steps = -(-steps // SIDE) * SIDE
        dtype = torch.int8 if is_int8 else torch.bfloat16
        words = torch.empty((len(groups), panels, steps, PANEL * per_word), dtype=dtype)
        self._lib.assay_huge_pages(at(words), words.nbytes)
        scale = torch.empty((len(groups), panels * PANEL)) if is_int8 else None
        offset = torch.empty((len(groups), panels * PANEL), dtype=torch.int32) if is_int8 else None
        packed = Packed(words, 2 * rows if is_pair else rows, depth, scale, offset, self._is_tiled)
        for group, pair in enumerate(groups):
            weights = [_readable(weight) for weight in pair if weight is not None]
            second = at(weights[1]) if len(weights) == 2 else None
            is_bf16 = weights[0].dtype is torch.bfloat16
            source = library.Source(at(weights[0]), second, rows, depth, is_bf16)
            self._lib.assay_pack(source, packed.c, group)
        return packed


def _ragged(step: Step) -> library.Ragged:
    arrays = (step.positions_T, step.row_start_S, step.context_S, step.table_start_S, step.table)
    return library.Ragged(len(step.positions_T), len(step.context_S), *map(at, arrays))


def _readable(weight_ND: Tensor) -> Tensor:
    """The weight as the packer reads it: bfloat16 where it lies, all else as float32."""
    return (weight_ND if weight_ND.dtype is torch.bfloat16 else weight_ND.float()).contiguous()
