"""Which replica answers which query: the least loaded gets the next ones, and each query is answered once. Pure.

Queries have numbers of their own here, in the order in which they came: LoadGen's ids come again in a later run.
A query belongs to one replica at a time. What another one says of it is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.ground.errors import RunFailed

Numbers = NDArray[np.int64]
WAITING, DONE = -1, -2
"""In place of the replica that a query belongs to."""
FEW = 16
"""So many queries are shared out one by one; more than that by a level."""


class Share(NamedTuple):
    """Queries for one replica."""

    replica: int
    numbers: Numbers
    indices: NDArray[np.int32]
    """Of their samples."""


class Dispatcher:
    """Queries that are not answered yet, and the replicas that answer them. Not thread-safe."""

    def __init__(self, rooms: Sequence[int]) -> None:
        """`rooms`: most queries that each replica holds at once."""
        self._rooms = np.array(rooms, np.int64)
        self.loads = np.zeros(len(rooms), np.int64)
        """Queries that each replica holds."""
        self.taken_over = self.dropped = 0
        """Queries that were given to another replica; answers and first tokens that nobody waited for."""
        self._given = np.zeros(len(rooms), np.int64)
        self._is_alive = np.ones(len(rooms), bool)
        self._waiting: deque[Numbers] = deque()
        self._waiting_count = 0
        self._first, self._count = 0, 0
        """Number of the query in row 0, and rows in use."""
        self._ids = np.empty(0, np.uint64)
        self._indices = np.empty(0, np.int32)
        self._owners = np.empty(0, np.int32)
        self._has_first = np.empty(0, bool)

    @property
    def open(self) -> int:
        """Queries that are not answered."""
        return self._waiting_count + int(self.loads.sum())

    @property
    def waiting(self) -> int:
        """Queries that no replica has."""
        return self._waiting_count

    @property
    def alive(self) -> list[int]:
        alive: list[int] = np.flatnonzero(self._is_alive).tolist()
        return alive

    def add(self, ids: NDArray[np.uint64], indices: NDArray[np.int32]) -> None:
        """New queries, behind those that wait."""
        if not self.open:  # nothing refers to the old rows any more
            self._first, self._count = self._first + self._count, 0
        start, end = self._count, self._count + len(ids)
        if end > len(self._ids):
            self._grow(max(end, 2 * len(self._ids)))
        self._ids[start:end], self._indices[start:end] = ids, indices
        self._owners[start:end], self._has_first[start:end] = WAITING, False
        self._count = end
        self._wait(np.arange(self._first + start, self._first + end))

    def shares(self) -> list[Share]:
        """What each replica is to be given now: as many waiting queries as there is room for, the least loaded first.

        Raises: RunFailed when queries wait and no replica is left.
        """
        if not self._waiting_count:
            return []
        if not self._is_alive.any():
            raise RunFailed(
                f"{self._waiting_count:,} queries wait, and no replica is left", "see the SUT's log"
            )
        counts = self._counts()
        return [self._give(int(replica), int(counts[replica])) for replica in np.flatnonzero(counts)]

    def first_tokens(self, replica: int, numbers: Numbers) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
        """Places in `numbers` whose first token is news, and LoadGen's ids of these."""
        places, rows = self._owned(replica, numbers)
        is_new = ~self._has_first[rows]
        places, rows = places[is_new], rows[is_new]
        self._has_first[rows] = True
        return places, self._ids[rows]

    def done(self, replica: int, numbers: Numbers) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
        """Places in `numbers` whose answers are to be handed in, and LoadGen's ids of these."""
        places, rows = self._owned(replica, numbers)
        self.dropped += len(numbers) - len(places)
        self._owners[rows] = DONE
        self.loads[replica] -= len(rows)
        return places, self._ids[rows]

    def lose(self, replica: int) -> int:
        """The replica answers no more; its open queries go to others, before all that wait. How many there were."""
        self._is_alive[replica] = False
        rows = np.flatnonzero(self._owners[: self._count] == replica)
        self._owners[rows] = WAITING
        self.loads[replica] = 0
        self.taken_over += len(rows)
        if len(rows):
            self._waiting.appendleft(rows + self._first)
            self._waiting_count += len(rows)
        return len(rows)

    def _wait(self, numbers: Numbers) -> None:
        if len(numbers):
            self._waiting.append(numbers)
            self._waiting_count += len(numbers)

    def _owned(self, replica: int, numbers: Numbers) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Places of the queries that belong to the replica, each once, and their rows."""
        rows = np.asarray(numbers, np.int64) - self._first
        places = np.flatnonzero((rows >= 0) & (rows < self._count))
        places = places[self._owners[rows[places]] == replica]
        if len(places) > 1:
            _, once = np.unique(rows[places], return_index=True)
            places = places[np.sort(once)]
        return places, rows[places]

    def _counts(self) -> Numbers:
        """How many of the waiting queries each replica is given."""
        free = np.where(self._is_alive, np.maximum(self._rooms - self.loads, 0), 0)
        wanted = min(self._waiting_count, int(free.sum()))
        if wanted == free.sum():
            return free
        counts = self._below_level(wanted, free) if wanted > FEW else np.zeros_like(free)
        for _ in range(wanted - int(counts.sum())):
            counts[self._least_loaded(counts, free)] += 1
        return counts

    def _below_level(self, wanted: int, free: Numbers) -> Numbers:
        """As many as fill all replicas to the same share of their rooms, `wanted` at most."""
        low, high = 0.0, 1.0
        counts = np.zeros_like(free)
        for _ in range(40):
            level = (low + high) / 2
            tried = np.clip((level * self._rooms).astype(np.int64) - self.loads, 0, free)
            if tried.sum() <= wanted:
                low, counts = level, tried
            else:
                high = level
        return counts

    def _least_loaded(self, counts: Numbers, free: Numbers) -> int:
        """Of those with room the one whose room is least used; of equals the one that was given least so far."""
        given = self._given + counts
        use = (self.loads + counts) / self._rooms + 1e-9 * given / max(1, int(given.max()))
        return int(np.where(counts < free, use, np.inf).argmin())

    def _give(self, replica: int, count: int) -> Share:
        taken = []
        missing = count
        while missing:
            numbers = self._waiting.popleft()
            if len(numbers) > missing:
                self._waiting.appendleft(numbers[missing:])
                numbers = numbers[:missing]
            taken.append(numbers)
            missing -= len(numbers)
        numbers = np.concatenate(taken)
        rows = numbers - self._first
        self._owners[rows] = replica
        self.loads[replica] += count
        self._given[replica] += count
        self._waiting_count -= count
        return Share(replica, numbers, self._indices[rows])

    def _grow(self, rows: int) -> None:
        for name in ("_ids", "_indices", "_owners", "_has_first"):
            old = getattr(self, name)
            new = np.empty(rows, old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)
