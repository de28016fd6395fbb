"""Who owns which block of KV memory. Pure accounting: block numbers only, no tensors."""

from __future__ import annotations

from collections.abc import Iterable

BLOCK_TOKENS = 16
"""Tokens of KV in one block. One AVX-512 register holds 16 float32 scores, so a block is one tile of QK^T."""

SPARE_BLOCKS = 1
"""Free for each sequence that runs when another is admitted, so that those that run can grow"""


def blocks_for(num_tokens: int) -> int:
    """Blocks that hold `num_tokens` tokens: blocks_for(0) = 0, blocks_for(16) = 1, blocks_for(17) = 2."""
    return -(-num_tokens // BLOCK_TOKENS)


class KvBlocks:
    """A pool of `count` blocks, each free or owned once; the last freed goes out first (warm in cache)."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = list(range(count - 1, -1, -1))
        self._is_free = [True] * count

    @property
    def num_free(self) -> int:
        return len(self._free)

    @property
    def num_used(self) -> int:
        return self.count - len(self._free)

    def take(self, number: int) -> list[int]:
        """Hand out `number` blocks; the caller has checked num_free."""
        assert 0 <= number <= len(self._free), f"{number} blocks asked, {len(self._free)} free"
        taken = [self._free.pop() for _ in range(number)]
        for block in taken:
            self._is_free[block] = False
        return taken

    def give_back(self, blocks: Iterable[int]) -> None:
        """Free `blocks`; each must be owned."""
        for block in blocks:
            assert not self._is_free[block], f"block {block} freed twice"
            self._is_free[block] = True
            self._free.append(block)
