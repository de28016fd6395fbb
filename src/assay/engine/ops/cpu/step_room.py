"""Memory for the rows of a step between the kernels. Legend in ops/__init__.py."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops import Routing
from assay.engine.ops.cpu import library
from assay.engine.ops.cpu.layout import SIDE, WORD_BYTES
from assay.engine.ops.cpu.library import at
from assay.engine.ops.cpu.scratch import Scratch


@dataclass(frozen=True)
class CpuRouting(Routing):
    c: library.RoutingPointers


@dataclass(frozen=True)
class StepRoom:
    """Of a step of `rows` rows."""

    rows: int
    h_TD: Tensor
    qkv_TN: Tensor
    attended_TQ: Tensor
    routing: CpuRouting
    c: library.Room


class StepRooms:
    """Makes room for steps and products, in memory that the next ones take again."""

    def __init__(self, scratch: Scratch, model: DecoderConfig, is_int8: bool, is_tiled: bool) -> None:
        self._scratch, self._model = scratch, model
        self._is_int8, self._is_tiled = is_int8, is_tiled
        self._last: StepRoom | None = None

    def of_step(self, rows: int) -> StepRoom:
        """The last step's where it had as many rows."""
        if self._last is None or self._last.rows != rows:
            self._last = self._new(rows)
        return self._last

    def of_rows(self, name: str, rows: int, width: int, groups: int) -> library.RowRoom:
        """For the rows of products: int8 rows in whole words, tiles of the rows of each group."""
        values = scales = tiles = None
        if self._is_int8:
            whole_words = -(-width // WORD_BYTES) * WORD_BYTES
            values = self._scratch.take(f"{name} values", (rows, whole_words), torch.uint8)
            scales = self._scratch.take(f"{name} scales", (rows,))
        if self._is_tiled:
            most = -(-rows // SIDE) + groups  # each group may end in a tile that is not full
            words = -(-width // (2 * SIDE)) * SIDE
            tiles = self._scratch.take(f"{name} tiles", (most * SIDE, words), torch.int32)
        return library.RowRoom(*(None if each is None else at(each) for each in (values, scales, tiles)))

    def _new(self, rows: int) -> StepRoom:
        m, take, low = self._model, self._scratch.take, torch.bfloat16
        sorted_rows = rows * m.experts_per_token
        h_TD = take("h", (rows, m.hidden_size), low)
        qkv_TN = take("qkv", (rows, m.q_size + 2 * m.kv_size))
        turned_TQ = take("turned", (rows, m.q_size), low)
        attended_TQ = take("attended", (rows, m.q_size), low)
        inner_RF = take("inner", (sorted_rows, m.intermediate_size), low)
        experts_RD = take("experts", (sorted_rows, m.hidden_size))
        widest = max(m.hidden_size, m.q_size, m.intermediate_size)
        row_room = self.of_rows("rounded", sorted_rows, widest, m.num_experts)
        tensors = (h_TD, qkv_TN, turned_TQ, attended_TQ, inner_RF, experts_RD)
        c = library.Room(*map(at, tensors), row_room)
        routing = (
            take("routed", (rows, m.hidden_size), low),
            take("start", (m.num_experts + 1,), torch.int32),
            take("row", (sorted_rows,), torch.int32),
            take("place", (rows, m.experts_per_token), torch.int32),
            take("weight", (rows, m.experts_per_token)),
        )
        pointers = library.RoutingPointers(*map(at, routing))
        return StepRoom(rows, h_TD, qkv_TN, attended_TQ, CpuRouting(*routing, pointers), c)
