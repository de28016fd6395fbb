"""Memory for the rows of a step, kept from step to step."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.engine.ops.cpu.library import at

PATIENCE = 64
"""Steps of another size, each of which took half or less of what is kept, before it shrinks"""


@dataclass
class _Kept:
    memory: Tensor
    largest: int = 0
    """Most that was taken since `idle` was 0"""
    idle: int = 0
    """Times that half or less was taken, one after another"""


class Scratch:
    """Fresh pages would cost a tenth of a step, so memory is kept; what a step of many rows needed once is given back
    when PATIENCE smaller ones have followed, so that one long prompt does not hold it until the engine ends."""

    def __init__(self, lib: ctypes.CDLL) -> None:
        self._lib = lib
        self._kept: dict[str, _Kept] = {}

    def take(self, name: str, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
        """Room of this shape, with whatever is in it. It is taken away by the next call with the same name."""
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or len(kept.memory) < size:
            kept = self._kept[name] = self._fresh(size, dtype)
        elif size > len(kept.memory) // 2:
            kept.idle = kept.largest = 0
        else:
            kept.idle, kept.largest = kept.idle + 1, max(kept.largest, size)
            if kept.idle >= PATIENCE:
                kept = self._kept[name] = self._fresh(kept.largest, dtype)
        return kept.memory[:size].view(*shape)

    def _fresh(self, size: int, dtype: torch.dtype) -> _Kept:
        memory = torch.empty(size, dtype=dtype)
        self._lib.assay_huge_pages(at(memory), memory.nbytes)
        return _Kept(memory)
