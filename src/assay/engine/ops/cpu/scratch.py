"""Memory for the rows of a step, kept from step to step."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from assay.engine.ops.cpu.library import at


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
