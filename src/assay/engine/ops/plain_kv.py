"""Keys and values of one layer as PyTorch keeps them: in the activations' precision, or in int8.

A row per token: token i of a sequence is row blocks[i // 16] * 16 + i % 16. Legend in ops/__init__.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from assay.engine.ops import reference, untouched_zeros


@dataclass(frozen=True)
class FloatKv:
    k_PKC: Tensor
    v_PKC: Tensor

    def keep(self, row_T: Tensor, k_TKC: Tensor, v_TKC: Tensor) -> None:
        for kept, new in ((self.k_PKC, k_TKC), (self.v_PKC, v_TKC)):
            kept[row_T] = new.to(kept.dtype)

    def attend(self, q_THC: Tensor, row_P: Tensor, start: int) -> Tensor:
        """As reference.attention, over the tokens in these rows."""
        return reference.attention(q_THC, self.k_PKC[row_P], self.v_PKC[row_P], start)


@dataclass(frozen=True)
class Int8Kv:
    """As reference.quantise_heads gives them."""

    k_PKC: Tensor
    v_PKC: Tensor
    k_scale_PK: Tensor
    v_scale_PK: Tensor

    def keep(self, row_T: Tensor, k_TKC: Tensor, v_TKC: Tensor) -> None:
        self.k_PKC[row_T], self.k_scale_PK[row_T] = reference.quantise_heads(k_TKC)
        self.v_PKC[row_T], self.v_scale_PK[row_T] = reference.quantise_heads(v_TKC)

    def attend(self, q_THC: Tensor, row_P: Tensor, start: int) -> Tensor:
        """As reference.attention_int8, over the tokens in these rows."""
        keys = self.k_PKC[row_P], self.k_scale_PK[row_P]
        values = self.v_PKC[row_P], self.v_scale_PK[row_P]
        return reference.attention_int8(q_THC, keys, values, start)


PlainKv = FloatKv | Int8Kv


def new_kv(rows: int, kv_heads: int, channels: int, of: torch.dtype) -> PlainKv:
    """Room for `rows` tokens of one layer."""
    k, v = (untouched_zeros((rows, kv_heads, channels), of) for _ in range(2))
    if of is not torch.int8:
        return FloatKv(k, v)
    return Int8Kv(k, v, *(untouched_zeros((rows, kv_heads), torch.float32) for _ in range(2)))
