"""Grouped-query attention over paged KV. Legend in ops/__init__.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from assay.engine.ops import Ops, Step


@dataclass(frozen=True)
class Attention:
    norm_D: Tensor
    qkv: Any
    """(Q + 2 K C, D): query, key and value projections stacked, so that one product reads h once"""
    out: Any
    """(D, Q)"""

    def add_to(
        self, x_TD: Tensor, ops: Ops, cache: Any, layer: int, step: Step, turn_PC: Tensor, eps: float
    ) -> None:
        """x += attention(norm(x))"""
        h_TD = ops.norm(x_TD, self.norm_D, eps)
        qkv_TN = ops.linear(h_TD, self.qkv)
        h_TQ = ops.attend(qkv_TN, cache, layer, step, turn_PC)
        ops.add_linear(x_TD, h_TQ, self.out)
