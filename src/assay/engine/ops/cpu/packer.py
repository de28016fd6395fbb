"""Packs weights into the panels that the kernels multiply: Matrix in kernels.h says how they lie."""

from __future__ import annotations

import ctypes
from ctypes import Array
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.engine.ops.cpu import library, onednn
from assay.engine.ops.cpu.layout import MatrixLayout
from assay.engine.ops.cpu.library import at


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


class Packer:
    """Packs for the kernels of one process, which multiply in one precision and, or not, on tiles."""

    def __init__(self, lib: ctypes.CDLL, is_int8: bool, is_tiled: bool, shares_with_onednn: bool) -> None:
        assert not (is_int8 and shares_with_onednn), "oneDNN multiplies bfloat16 here"
        self._lib = lib
        self._is_int8, self._is_tiled = is_int8, is_tiled
        self._shares_with_onednn = shares_with_onednn

    def matrix(self, weight_ND: Tensor) -> Packed:
        """One weight in the precision of the set; shared with oneDNN where that runs and packs it alike."""
        if self._shares_with_onednn:
            ours = self._packed(weight_ND, False, False)
            if (theirs := onednn.packed_alike(weight_ND, ours.memory)) is not None:
                memory = onednn.bytes_of(theirs)
                self._lib.assay_huge_pages(at(memory), memory.nbytes)
                table = (library.Group * 1)(ours.layout.group(at(memory)))
                return Packed(ours.layout, memory.view(torch.bfloat16), table, theirs)
        return self._packed(weight_ND, self._is_int8, self._is_tiled)

    def head(self, weight_VD: Tensor) -> Packed:
        """In bfloat16, whatever the precision."""
        return self._packed(weight_VD, False, self._is_tiled)

    def fill(self, layout: MatrixLayout, memory: Tensor, *weights: Tensor) -> None:
        """Pack a weight, or gate and up, into memory of layout.size bytes."""
        readable = [_readable(weight) for weight in weights]
        addresses = [at(weight) for weight in readable] + [None]
        is_bf16 = readable[0].dtype is torch.bfloat16
        source = library.Source(*addresses[:2], layout.rows, layout.depth, is_bf16)
        self._lib.assay_pack(source, layout.matrix((library.Group * 1)(layout.group(at(memory)))), 0)

    def memory(self, size: int) -> Tensor:
        """Bytes for packed weights, in large pages where the machine gives them."""
        memory = torch.empty(size, dtype=torch.uint8)
        self._lib.assay_huge_pages(at(memory), size)
        return memory

    def _packed(self, weight_ND: Tensor, is_int8: bool, is_tiled: bool) -> Packed:
        rows, depth = weight_ND.shape
        layout = MatrixLayout(rows, depth, False, is_int8, is_tiled)
        memory = self.memory(layout.size)
        self.fill(layout, memory, weight_ND)
        typed = memory.view(torch.int8 if is_int8 else torch.bfloat16)
        return Packed(layout, typed, (library.Group * 1)(layout.group(at(memory))))


def _readable(weight_ND: Tensor) -> Tensor:
    """The weight as the packer reads it: bfloat16 where it lies, all else as float32."""
    return (weight_ND if weight_ND.dtype is torch.bfloat16 else weight_ND.float()).contiguous()
