"""What a set of kernels must do, and the values that pass between the model and it.

Two sets exist: `ops.plain` (PyTorch, any machine) and `ops.cpu` (our own kernels). The model is written
once, against `Ops`. Residuals are float32; activations that enter a matrix product are bfloat16, or float32
where that is the precision. Legend: T tokens of a step (rows, no padding), S its sequences, L its sampled
rows, D hidden, N outputs, H query heads, K KV heads, C channels of a head, Q = H * C, P positions, E experts,
A active experts of a token, R = T * A rows sorted by expert, F width of an expert, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """The ragged rows of one step. Rows row_start_S[s] .. row_start_S[s+1] are a chunk of sequence s.

    Example: a prefill of 3 tokens beside a decode at position 20 is tokens_T of 4, positions_T [0, 1, 2, 20],
    row_start_S [0, 3, 4], context_S [3, 21], table_start_S [0, 1, 3] and a table of 1 + 2 blocks.
    """

    tokens_T: Tensor
    """int64"""
    positions_T: Tensor
    """int32"""
    row_start_S: Tensor
    """int32, S + 1"""
    context_S: Tensor
    """int32: tokens of the sequence up to the end of its chunk"""
    table_start_S: Tensor
    """int32, S + 1: where the sequence's blocks begin in `table`"""
    table: Tensor
    """int32: KV blocks of all sequences, end to end"""
    sampled_L: Tensor
    """int64: rows whose next token is chosen"""


@dataclass(frozen=True)
class Routing:
    """Which rows each expert sees. Rows sorted by expert; expert e has start_E[e] .. start_E[e+1] of them."""

    h_TD: Tensor
    """The normed rows, as activations"""
    start_E: Tensor
    """int32, E + 1"""
    row_R: Tensor
    """int32, R = T * A: the token of a sorted row"""
    place_TA: Tensor
    """int32: where the token's a-th expert put its row"""
    weight_TA: Tensor
    """float32: the share of the token's a-th expert; sums to 1 over A where the model renormalises"""


@dataclass(frozen=True)
class AttentionWeights:
    """Attention of one layer; what a model lacks is None."""

    norm_D: Tensor
    qkv_ND: Tensor
    """Query, key and value projections stacked, so that one product reads the rows once"""
    out_DQ: Tensor
    qkv_bias_N: Tensor | None = None
    """float32, as are all that follow"""
    out_bias_D: Tensor | None = None
    q_norm_C: Tensor | None = None
    """RMS norm of each query head before it is turned; k_norm_C: of each key head"""
    k_norm_C: Tensor | None = None


@dataclass(frozen=True)
class TilesFrom:
    """Fewest rows of a product that AMX tiles multiply, by its precision; with fewer AVX-512 does."""

    bfloat16: int = 1
    int8: int = 1


class Ops(Protocol):
    """One set of kernels, made for one model. Attention, moe, head and cache are the set's own: made by it, handed back
    to it. Each op is one call for a whole block of a layer: between them Python runs, with cold caches.

    What `route` and `logits` give is valid until the same one is called again: a set may keep its memory.
    """

    @property
    def name(self) -> str: ...

    @property
    def tiles_from(self) -> TilesFrom | None:
        """Fewest rows of a product that run on AMX tiles; None where no tiles run."""

    @property
    def onednn_from(self) -> int | None:
        """Fewest rows of a step whose attention oneDNN projects; None where it does not."""

    @property
    def torch_threads(self) -> int | None:
        """Threads that PyTorch may use beside these kernels; None = as many as it has."""

    def pack_attention(self, weights: AttentionWeights) -> Any:
        """Attention of a layer in the set's layout and precision; the weights may be dropped afterwards."""

    def pack_moe(
        self,
        norm_D: Tensor,
        router_ED: Tensor,
        gate: Sequence[Tensor],
        up: Sequence[Tensor],
        down: Sequence[Tensor],
    ) -> Any:
        """The experts of a layer: E gates and ups (F, D), E downs (D, F). The router stays float32 whatever the
        precision: a wrong expert costs more than a rounded one."""

    @property
    def form(self) -> str:
        """How the bytes of a packed expert lie: `rows`, `panels` or `tiles`. Sets of one form and precision read each
        other's."""

    @property
    def expert_bytes(self) -> int:
        """Of one packed expert: whole blocks of a disk."""

    def pack_expert(self, gate_FD: Tensor, up_FD: Tensor, down_DF: Tensor, into: Tensor) -> None:
        """One expert as bytes; into: uint8, expert_bytes long."""

    def random_expert(self, generator: torch.Generator, deviation: float, into: Tensor) -> None:
        """Random weights as pack_expert would leave them; int8 only."""

    def new_moe(self, norm_D: Tensor, router_ED: Tensor) -> Any:
        """As pack_moe, with no expert in memory."""

    def place_expert(self, moe: Any, expert: int, memory: Tensor | None) -> None:
        """The expert's bytes lie in `memory` from now on, or nowhere: then no row may want it."""

    def pack_head(self, norm_D: Tensor, weight_VD: Tensor) -> Any:
        """The head: in bfloat16 where the set's precision is lower, for it decides between tokens itself."""

    def new_cache(self, num_blocks: int, is_int8: bool = False) -> Any:
        """KV memory of all layers: in the activations' precision, or in int8 with a scale for each token and head.
        Pages are taken from the machine as blocks are first used."""

    def add_attention(self, x_TD: Tensor, attention: Any, cache: Any, layer: int, step: Step) -> None:
        """x += out(attend(qkv(norm(x)))): q and k are turned by their positions, k and v kept in the cache. Biases
        and norms of heads apply where the model has them."""

    def route(self, x_TD: Tensor, moe: Any) -> Routing:
        """Softmax of norm(x) over the experts in float32, the best A of them, renormalised where the model does so."""

    def add_experts(self, x_TD: Tensor, routing: Routing, moe: Any) -> None:
        """x += the weighted sum of each token's experts, down(silu(gate(h)) * up(h))."""

    def logits(self, x_LD: Tensor, head: Any) -> Tensor:
        """head(norm(x)), float32 (L, V)."""

    def argmax(self, logits_LV: Tensor) -> list[int]:
        """The greatest of each row; of equal ones the first; -1 for a row that is not numbers (NaN)."""

    def used_precision(self, attention: Any) -> str:
        """dtype of packed weights, read from their memory."""

    def kv_precision(self, cache: Any) -> str:
        """dtype of keys and values, read from their memory."""


DISK_BLOCK = 4096
"""Bytes in whose multiples a disk is read without the page cache"""


def whole_blocks(size: int) -> int:
    """Bytes, up to the next whole block of a disk."""
    return -(-size // DISK_BLOCK) * DISK_BLOCK


def untouched_zeros(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Zeros whose pages the machine provides when they are first written; torch.zeros writes them all."""
    flat = np.zeros(math.prod(shape) * dtype.itemsize, dtype=np.uint8)
    return torch.from_numpy(flat).view(dtype).view(*shape)
