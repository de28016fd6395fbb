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
    """Times of the answers of a run that have tokens and no fault; each array has an entry for each answer."""

    def __init__(self) -> None:
        self.sent_ns, self.first_ns, self.last_ns = array("q"), array("q"), array("q")
        """When it was sent, and when the first and the last event with tokens arrived."""
        self.tokens, self.first_chunk_tokens = array("q"), array("q")
        """Of the whole answer, and of its first event."""
        self.gaps_us = array("I")
        """Between the events of every answer, in one array."""

    def add(self, tokens: int, first_chunk_tokens: int, sent_ns: int, first_ns: int, gaps_us: bytes) -> None:
        """`first_ns`: from sending on. `gaps_us`: as `packed_gaps` returns them."""
        before = len(self.gaps_us)
        self.gaps_us.frombytes(gaps_us)
        self.sent_ns.append(sent_ns)
        self.first_ns.append(sent_ns + first_ns)
        self.last_ns.append(sent_ns + first_ns + US * sum(self.gaps_us[before:]))
        self.tokens.append(tokens)
        self.first_chunk_tokens.append(first_chunk_tokens)
