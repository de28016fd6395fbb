"""When each query was issued, began and ended: kept in the LoadGen child, read by the parent after the run.

The clock is read in LoadGen's own process, at the calls between LoadGen and the system under test. LoadGen's own stamps
are taken inside of these calls and are in its trace alone, which would cost a busy run more than it tells.
"""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.mlperf.rounds.round import Seeds

KINDS = ("issued", "first", "done")


class Call(NamedTuple):
    """One call between LoadGen and the system under test."""

    at_ns: int
    ids: list[int]
    values: list[int]


class Stamps:
    """Calls of one kind: when, over how many queries, their ids, and a number for each query."""

    def __init__(self) -> None:
        self._at, self._counts = array("q"), array("I")
        self._ids, self._values = array("Q"), array("i")

    def add(self, ids: NDArray[np.uint64], values: NDArray[np.int32]) -> None:
        """`values`: sample index, first token id or number of tokens. Both are copied."""
        self._at.append(time.monotonic_ns())
        self._counts.append(len(ids))
        self._ids.frombytes(ids.tobytes())
        self._values.frombytes(values.tobytes())

    def calls(self, after: int, queries: int) -> list[Call]:
        """The calls from number `after` on. `queries`: how many queries the calls before had together. Another
        thread may add calls meanwhile."""
        # In the reverse order of `add`, and as slices: each is a copy that holds the interpreter lock, where an array
        # whose buffer is lent out cannot grow.
        values, ids = self._values[queries:], self._ids[queries:]
        counts, at = self._counts[after:], self._at[after:]
        found, place = [], 0
        for when, count in zip(at, counts):
            if place + count > len(values):
                break
            end = place + count
            found.append(Call(when, ids[place:end].tolist(), values[place:end].tolist()))
            place = end
        return found

    def columns(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """(time of the call in ns, id, value) of each query."""
        at = np.repeat(np.array(self._at, np.int64), np.array(self._counts, np.int64))
        return at, np.frombuffer(self._ids, np.uint64), np.frombuffer(self._values, np.int32)


class Recorder:
    """The stamps of one run. Each kind has one thread that adds."""

    def __init__(self) -> None:
        self.issued, self.first, self.done = Stamps(), Stamps(), Stamps()

    def save(self, path: Path) -> None:
        """One file for `load`; nothing is joined here, as LoadGen's child should end soon."""
        with path.open("wb") as file:
            for kind in KINDS:
                for column in getattr(self, kind).columns():
                    np.save(file, column)


class CallReader:
    """Reads the calls of stamps while they grow, each call once."""

    def __init__(self) -> None:
        self._read: dict[Stamps, tuple[int, int]] = {}
        """Calls and queries that were read."""

    def new(self, stamps: Stamps) -> list[Call]:
        """The calls since the last time."""
        calls, queries = self._read.get(stamps, (0, 0))
        fresh = stamps.calls(calls, queries)
        self._read[stamps] = (calls + len(fresh), queries + sum(len(call.ids) for call in fresh))
        return fresh


@dataclass(frozen=True)
class RequestTimes:
    """Of each query, in the order in which LoadGen issued them; ns of one clock."""

    sample_index: NDArray[np.int32]
    issued_ns: NDArray[np.int64]
    first_ns: NDArray[np.int64] | None
    """None = the scenario reports no first tokens."""
    end_ns: NDArray[np.int64]
    tokens: NDArray[np.int32]
    """Answer length as it was reported to LoadGen."""


def load(path: Path) -> RequestTimes:
    """The times of a run that came to its end. Raises: OSError, ValueError for a file that `save` did not finish."""
    with path.open("rb") as file:
        issued, first, done = (tuple(np.load(file) for _ in range(3)) for _ in KINDS)
    # LoadGen's ids are addresses, which it may use again: the n-th issue of one belongs to its n-th end.
    if np.array_equal(issued[1], done[1]) and not len(
        first[1]
    ):  # answered in order: there is nothing to place
        return RequestTimes(issued[2], issued[0], None, done[0], done[2])
    place, order = np.argsort(issued[1], kind="stable"), np.argsort(done[1], kind="stable")
    if not np.array_equal(issued[1][place], done[1][order]):
        raise ValueError("it ends other queries than were issued")
    end_ns, tokens = _placed(place, done[0][order]), _placed(place, done[2][order])
    first_ns = None
    if len(first[1]):
        begun = np.argsort(first[1], kind="stable")
        if not np.array_equal(issued[1][place], first[1][begun]):
            raise ValueError("it has first tokens of other queries than were issued")
        first_ns = _placed(place, first[0][begun])
    return RequestTimes(issued[2], issued[0], first_ns, end_ns, tokens)


def _placed(place: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    found = np.empty_like(values)
    found[place] = values
    return found


def server_schedule_ns(seeds: Seeds, target_qps: float, count: int) -> NDArray[np.int64]:
    """When LoadGen planned each Server query, ns from the start; one more entry than queries: the planned end.

    Source: LoadGen, GenerateQueries and ScheduleDistribution<Server>: intervals of std::exponential_distribution over
    std::mt19937, each cut to whole ns. A double takes two draws of the generator, the lower half first.
    """
    generator = np.random.RandomState(seeds.schedule & 0xFFFFFFFF)  # std::mt19937, seeded as C++ does
    draws = np.frombuffer(generator.bytes(8 * count), "<u4").astype(np.float64)
    uniform = (draws[0::2] + draws[1::2] * 2.0**32) / 2.0**64
    intervals_s = -np.log(1.0 - np.minimum(uniform, np.nextafter(1.0, 0.0))) / target_qps
    return np.concatenate(([0], np.cumsum((intervals_s * 1e9).astype(np.int64))))
