"""When the events of answers arrived. Only the client of a server can know this of a run. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise

US = 1000
"""Nanoseconds in a microsecond."""
MOST_US = 2**32 - 1


def packed_gaps(chunks_ns: Sequence[int]) -> bytes:
    """The gaps between events in whole microseconds, 4 bytes each."""
    gaps = [(after - before) // US for before, after in pairwise(chunks_ns)]
    try:
        return array("I", gaps).tobytes()
    except OverflowError:
        return array("I", [min(max(gap, 0), MOST_US) for gap in gaps]).tobytes()


class ChunkTimes:
    """Times of the answers of a run that have no fault."""

    def __init__(self) -> None:
        self._gaps = array("I")
        self._later_ms: list[float] = []

    def add(self, tokens: int, first_chunk_tokens: int, gaps_us: bytes) -> None:
        """`tokens`: of the whole answer. `gaps_us`: as `packed_gaps` returns them."""
        before = len(self._gaps)
        self._gaps.frombytes(gaps_us)
        later = tokens - first_chunk_tokens
        if later > 0:
            self._later_ms.append(sum(self._gaps[before:]) / US / later)

    @property
    def gaps_ms(self) -> list[float]:
        """The gaps between the events of every answer, in one array."""
        return [gap / US for gap in self._gaps]

    @property
    def later_ms(self) -> list[float]:
        """Time per token after the first event, for each answer that has such tokens."""
        return self._later_ms
