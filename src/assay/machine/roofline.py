"""Roofline: how many float32 operations and how many bytes a second this machine gives, measured with numpy.

An upper bound for what a model can reach here: its prefill is bound by the first, its decoding at a small batch
by the second. Says nothing of 16-bit or integer units, which numpy does not use.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SIDE = 1024
"""Rows and columns of the square matrices multiplied."""
STREAM_BYTES = 256 << 20
"""More than any cache of one socket."""
REPEATS = 5


@dataclass(frozen=True)
class Roofline:
    """Best of a few repeats."""

    float32_flop_per_s: float
    bytes_per_s: float
    """Read and written, by copying an array."""

    @property
    def flop_per_byte(self) -> float:
        """Where the two meet: work with fewer operations a byte waits for memory."""
        return self.float32_flop_per_s / self.bytes_per_s


def measure(side: int = SIDE, stream_bytes: int = STREAM_BYTES) -> Roofline:
    """Takes about a second."""
    a = np.full((side, side), 0.5, dtype=np.float32)
    product = np.empty_like(a)
    source = np.ones(stream_bytes, dtype=np.uint8)
    target = np.zeros_like(source)
    multiply_s = _best(lambda: np.matmul(a, a, out=product))
    copy_s = _best(lambda: np.copyto(target, source))
    return Roofline(2 * side**3 / multiply_s, 2 * stream_bytes / copy_s)


def _best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)
