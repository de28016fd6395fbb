"""When each query was issued, began and ended: kept in the LoadGen child, read by the parent after the run.

The clock is read in LoadGen's own process, at the calls between LoadGen and the system under test. LoadGen's own stamps
are taken inside of these calls and are in its trace alone, which would cost a busy run more than it tells.
"""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.mlperf.rounds.round import Seeds

Buffer = bytes | memoryview
INT32_BYTES = 4
LARGE = 1024
"""Numbers from which on an array is kept as it is."""


class Call(NamedTuple):
    """One call between LoadGen and the system under test."""

    at_ns: int
    ids: list[int]
    values: list[int]


class Stamps:
    """Calls of one kind: when, the ids of their queries, and a number for each query."""

    def __init__(self, issued: Stamps | None = None) -> None:
        """`issued`: of the same queries. Ids that come in the order of one issue are not kept twice: new memory takes
        longer than all else here."""
        self._issued, self._followed = issued, 0
        self._at = array("q")
        self._ids: list[Buffer] = []
        self._values: list[Buffer] = []

    def add(self, ids: NDArray[np.uint64], values: NDArray[np.int32]) -> None:
        """`values`: sample index, first token id or number of tokens. Nobody may change the arrays afterwards."""
        now = time.monotonic_ns()
        self._ids.append(self._of_issued(ids) or _kept(ids))
        self._values.append(_kept(values))
        self._at.append(now)  # the last: another thread may be in `calls`

    def calls(self, after: int) -> list[Call]:
        """The calls from number `after` on. Another thread may add calls meanwhile."""
        at = self._at[after:]  # slices are copies; an array whose buffer is lent out could not grow
        each = zip(at, self._ids[after:], self._values[after:])
        return [
            Call(when, np.frombuffer(ids, np.uint64).tolist(), np.frombuffer(values, np.int32).tolist())
            for when, ids, values in each
        ]

    def ids(self) -> Buffer:
        """uint64 of each query."""
        return self._ids[0] if len(self._ids) == 1 else b"".join(self._ids)

    @property
    def is_in_order(self) -> bool:
        """Whether all queries of one issue came here, in its order."""
        return self._issued is not None and [self._followed] == [len(ids) for ids in self._issued._ids]

    def _of_issued(self, ids: NDArray[np.uint64]) -> Buffer | None:
        """The same ids where they were issued; None from the first one on that did not come in that order."""
        if self._issued is None or len(self._issued._ids) != 1 or self._followed < 0:
            return None
        same = self._issued._ids[0][self._followed : self._followed + ids.nbytes]
        if not np.array_equal(np.frombuffer(same, np.uint64), ids):
            self._followed = -1
            return None
        self._followed += ids.nbytes
        return same

    def write(self, file: BinaryIO, with_ids: bool) -> None:
        """For `_read`."""
        counts = [len(values) // INT32_BYTES for values in self._values]
        ids = np.frombuffer(self.ids() if with_ids else b"", np.uint64)
        for column in (np.array(self._at, np.int64), np.array(counts, np.int64), ids):
            np.save(file, column)
        file.writelines(self._values)


def _kept(values: NDArray[Any]) -> Buffer:
    """A copy, as a view would hold the whole frame that it looks into, and a small array takes more than its bytes."""
    return values.view(np.uint8).data if values.flags.owndata and len(values) >= LARGE else values.tobytes()


class Recorder:
    """The stamps of one run. Each kind has one thread that adds."""

    def __init__(self) -> None:
        self.issued, self.first = Stamps(), Stamps()
        self.done = Stamps(self.issued)
        self.arrived: list[bytes] = []
        """With each call of `first`: FirstToken.arrived_ns of its queries, int64."""

    def save(self, path: Path) -> None:
        """One file for `load`; nothing is sorted here, as LoadGen's child should end soon."""
        in_order = not self.first.ids() and self.done.is_in_order
        with path.open("wb") as file:
            for kind in (self.issued, self.first, self.done):
                kind.write(file, with_ids=not in_order)
            np.save(file, np.frombuffer(b"".join(self.arrived), np.int64))


class CallReader:
    """Reads the calls of stamps while they grow, each call once."""

    def __init__(self) -> None:
        self._read: dict[Stamps, int] = {}
        """Calls that were read."""

    def new(self, times: Recorder) -> tuple[list[Call], list[Call], list[Call]]:
        """Issues, first tokens and ends since the last time: whatever has an end here was issued here or before."""
        # The last kind is read first: other threads add meanwhile.
        done, first, issued = (self._of(stamps) for stamps in (times.done, times.first, times.issued))
        return issued, first, done

    def _of(self, stamps: Stamps) -> list[Call]:
        read = self._read.get(stamps, 0)
        fresh = stamps.calls(read)
        self._read[stamps] = read + len(fresh)
        return fresh


class Columns(NamedTuple):
    """What `Stamps.write` wrote, of each query."""

    ids: NDArray[np.uint64]
    """None at all where the queries of a run were answered in order."""
    at_ns: NDArray[np.int64]
    values: NDArray[np.int32]


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
    arrived_ns: NDArray[np.int64] | None = None
    """When the bytes of the first token were on this machine; 0 for one that nobody knows, None where that is all."""

    @property
    def told_late_ns(self) -> NDArray[np.int64]:
        """How long after that LoadGen was told of the first token, of those that are known."""
        if self.first_ns is None or self.arrived_ns is None:
            return np.empty(0, np.int64)
        return (self.first_ns - self.arrived_ns)[self.arrived_ns > 0]


def load(path: Path) -> RequestTimes:
    """The times of a run that came to its end. Raises: OSError; ValueError, EOFError for a file that `save` did not
    finish."""
    with path.open("rb") as file:
        issued, first, done = _read(file), _read(file), _read(file)
        arrived = np.load(file)
    if not len(issued.ids) + len(first.ids) + len(done.ids):  # in order: there is nothing to place
        return RequestTimes(issued.values, issued.at_ns, None, done.at_ns, done.values)
    # LoadGen's ids are addresses, which it may use again: the n-th issue of one belongs to its n-th end.
    place, order = np.argsort(issued.ids, kind="stable"), np.argsort(done.ids, kind="stable")
    if not np.array_equal(issued.ids[place], done.ids[order]):
        raise ValueError("it ends other queries than were issued")
    end_ns, tokens = _placed(place, done.at_ns[order]), _placed(place, done.values[order])
    first_ns = arrived_ns = None
    if len(first.ids):
        begun = np.argsort(first.ids, kind="stable")
        if not np.array_equal(issued.ids[place], first.ids[begun]):
            raise ValueError("it has first tokens of other queries than were issued")
        first_ns = _placed(place, first.at_ns[begun])
        arrived_ns = _placed(place, arrived[begun]) if arrived.any() else None
    return RequestTimes(issued.values, issued.at_ns, first_ns, end_ns, tokens, arrived_ns)


def _read(file: BinaryIO) -> Columns:
    at, counts, ids = (np.load(file) for _ in range(3))
    begin, size = file.tell(), int(counts.sum())
    # Mapped: the pages that the child wrote are still in memory. Raises: ValueError where the file ends too early.
    values = np.memmap(file, np.int32, "r", begin, size) if size else np.zeros(0, np.int32)
    file.seek(begin + values.nbytes)
    return Columns(ids, np.broadcast_to(at, size) if len(at) == 1 else np.repeat(at, counts), values)


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
