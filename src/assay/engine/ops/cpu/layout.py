"""Where the packed weights of a matrix lie in memory, and on disk: bytes in this order are what the kernels read.

Words first, then for int8 a float32 scale and an int32 offset for each packed column. An expert is its gate and up,
which share panels, and then its down projection.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import Array
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.engine.ops.cpu import library

PANEL = 64
"""Columns of a packed panel"""
SIDE = 16
"""Rows, steps and columns of a tile"""
WORD_BYTES = 4
COLUMN_BYTES = 4
"""A scale, or an offset"""


@dataclass(frozen=True)
class MatrixLayout:
    """Of one matrix. Every size in bytes is a multiple of 64, so that parts may follow each other."""

    rows: int
    """Outputs of the weight; of each of the two where gate and up share panels half and half"""
    depth: int
    """Inputs"""
    is_pair: bool
    is_int8: bool
    is_tiled: bool

    @property
    def columns(self) -> int:
        return 2 * self.rows if self.is_pair else self.rows

    @property
    def panels(self) -> int:
        return -(-self.rows // (PANEL // 2 if self.is_pair else PANEL))

    @property
    def steps(self) -> int:
        return -(-self.depth // (4 if self.is_int8 else 2))

    @property
    def steps_kept(self) -> int:
        """As tiles, whole blocks of 16."""
        return -(-self.steps // SIDE) * SIDE if self.is_tiled else self.steps

    @property
    def word_bytes(self) -> int:
        return self.panels * self.steps_kept * PANEL * WORD_BYTES

    @property
    def size(self) -> int:
        """Bytes of all."""
        return self.word_bytes + (2 * self.panels * PANEL * COLUMN_BYTES if self.is_int8 else 0)

    def group(self, address: int) -> library.Group:
        """The matrix whose bytes begin at `address`."""
        if not self.is_int8:
            return library.Group(address, None, None)
        scale = address + self.word_bytes
        return library.Group(address, scale, scale + self.panels * PANEL * COLUMN_BYTES)

    def matrix(self, table: Array[library.Group]) -> library.Matrix:
        """For the kernels, which read `table` whenever they multiply."""
        shape = (self.panels, self.steps, self.columns, self.depth, int(self.is_tiled), int(self.is_int8))
        return library.Matrix(table, len(table), *shape)

    def fill_random(self, bytes_: Tensor, generator: torch.Generator, deviation: float) -> None:
        """Random int8 weights in place of those of a checkpoint; bytes_ is uint8 of `size`."""
        assert self.is_int8, "bytes drawn at random are no bfloat16 weights"
        words = bytes_[: self.word_bytes].view(torch.int64)
        words.random_(-(1 << 63), None, generator=generator)
        blocked = (self.panels, self.steps_kept // SIDE, PANEL // SIDE, SIDE, SIDE, WORD_BYTES)
        plain = (self.panels, self.steps_kept, PANEL, WORD_BYTES)
        number = words.view(torch.int8).view(blocked if self.is_tiled else plain)
        if self.is_tiled and self.steps < self.steps_kept:
            number[:, -1, :, self.steps - self.steps_kept :] = 0  # beyond the depth nothing may count
        sums = number.sum((1, 3, 5) if self.is_tiled else (1, 3), dtype=torch.int32)
        scale, offset = bytes_[self.word_bytes :].view(2, -1)
        scale.view(torch.float32).fill_(deviation / UNIFORM_DEVIATION)
        offset.view(torch.int32).copy_(128 * sums.reshape(-1))


UNIFORM_DEVIATION = 256 / 12**0.5
"""Standard deviation of whole numbers from -128 to 127, all as likely"""


@dataclass(frozen=True)
class ExpertLayout:
    """Of one expert."""

    gate_up: MatrixLayout
    down: MatrixLayout

    @property
    def size(self) -> int:
        return self.gate_up.size + self.down.size

    def parts(self, bytes_: Tensor) -> Sequence[Tensor]:
        """The bytes of gate and up, and of down."""
        return bytes_[: self.gate_up.size], bytes_[self.gate_up.size : self.size]
