"""Experts that are read from disk while the layers before theirs are computed.

Reads go around the page cache, by a few threads, in order of the layers and round again: the next step wants the same.
Slots of memory hold the experts of the layer that is computed and of those that follow. Experts that rows want most
(expert_use.py) come to stay: one that was read takes the place of one that is used less, and nothing is read for it.
One thread calls; the others only read.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.engine import packed
from assay.engine.expert_use import Expert, ExpertUse
from assay.engine.ops import DISK_BLOCK, Ops
from assay.engine.packed import PackedCopy
from assay.ground.count import size_text
from assay.ground.errors import RunFailed

THREADS, CHUNK_BYTES = 4, 4 << 20
"""Measured on a virtual disk: 1.16 GB/s, against 0.69 with one thread, 0.77 with 16 MiB and 0.15 through the page
cache."""


@dataclass(frozen=True)
class _Reading:
    """An expert that is in a slot, or on its way there."""

    slot: int
    futures: Sequence[Future[None]]

    def stop(self) -> None:
        for future in self.futures:
            future.cancel()
        wait(self.futures)


class ExpertStream:
    """The experts of a packed copy. `moes`: what ops.new_moe gave for each layer; each row wants `active` experts of
    one; `resident`: those that stay in memory at first."""

    def __init__(
        self,
        copy: PackedCopy,
        ops: Ops,
        moes: Sequence[Any],
        active: int,
        num_slots: int,
        resident: Sequence[Expert],
    ) -> None:
        """Reads the resident experts. Raises: RunFailed as `bring`, OSError for a file that cannot be opened."""
        self._copy, self._ops, self._moes = copy, ops, moes
        self._size = copy.manifest.expert_bytes
        self._use = ExpertUse(len(moes), copy.manifest.num_experts, active)
        self._resident = {expert: place for place, expert in enumerate(resident, num_slots)}
        """Where each lies"""
        self._coming: frozenset[Expert] = frozenset()
        self._leaving: list[Expert] = []
        self.exchanged = 0
        self._room = room((num_slots + len(resident)) * self._size)
        self._slots = list(range(num_slots))
        self._held: dict[Expert, _Reading] = {}
        self._likely: list[list[Expert]] = [[] for _ in moes]
        """By layer: what the step that is computed is likely to want"""
        self._unchecked = {(layer, e) for layer in range(len(moes)) for e in range(copy.manifest.num_experts)}
        self._pool = ThreadPoolExecutor(THREADS, "expert")
        self._files = [opened(copy.file(layer)) for layer in range(len(moes))]
        self.clock = ReadClock()
        for expert, place in self._resident.items():
            self._wait(expert, _Reading(place, self._read(expert, place)))
            ops.place_expert(moes[expert[0]], expert[1], self._memory(place))

    def begin(self, rows: int) -> None:
        """A step of so many rows is computed next."""
        self._likely = [self._use.likely(layer, rows) for layer in range(len(self._moes))]
        kept = self._use.most_used(len(self._resident), self._resident)
        self._coming = kept - self._resident.keys()
        self._leaving = sorted(self._resident.keys() - kept, reverse=True)
        self._read_ahead(-1)

    def bring(self, layer: int, start_E: Tensor) -> None:
        """Have the experts of a layer in memory that rows want (Routing.start_E).

        Raises: RunFailed for a read that failed, and for bytes that are not those that were packed. The next step may
        be tried all the same.
        """
        rows_E = start_E.diff().tolist()
        self._use.count(layer, rows_E)
        wanted = [(layer, e) for e, rows in enumerate(rows_E) if rows and (layer, e) not in self._resident]
        try:
            for expert in [held for held in self._held if held[0] == layer and held not in wanted]:
                self._drop(expert)
            for expert in wanted:
                if expert not in self._held:
                    self._start(expert)
            for expert in wanted:
                self._wait(expert, self._held[expert])
                memory = self._memory(self._held[expert].slot)
                self._ops.place_expert(self._moes[layer], expert[1], memory)
        except RunFailed:
            for expert in list(self._held):
                self._drop(expert)
            raise
        self._read_ahead(layer)

    def free(self, layer: int) -> None:
        """The layer is computed: its slots take the experts of those that follow."""
        for expert in [held for held in self._held if held[0] == layer]:
            if expert in self._coming and self._leaving:
                self._keep(expert, self._leaving.pop())
            else:
                self._drop(expert)
        self._read_ahead(layer)

    def close(self) -> None:
        for expert in list(self._held):
            self._drop(expert)
        self._pool.shutdown()
        while self._files:
            os.close(self._files.pop())

    def _read_ahead(self, layer: int) -> None:
        """Fill the free slots with what is likely to be wanted after `layer`, the first layer after the last."""
        count = len(self._moes)
        for following in range(layer + 1, layer + count):
            for expert in self._likely[following % count]:
                if expert in self._resident or expert in self._held:
                    continue
                if not self._slots:
                    return
                self._start(expert)

    def _start(self, expert: Expert) -> None:
        if not self._slots:  # the step before wanted other experts than this one
            self._drop(next(held for held in reversed(self._held) if held[0] != expert[0]))
        slot = self._slots.pop()
        self._held[expert] = _Reading(slot, self._read(expert, slot))

    def _keep(self, expert: Expert, leaving: Expert) -> None:
        """The expert, which has been read and used, stays where it lies; the room of `leaving` becomes a slot."""
        self._resident[expert] = self._held.pop(expert).slot
        self._slots.append(self._resident.pop(leaving))
        self._ops.place_expert(self._moes[leaving[0]], leaving[1], None)
        self.exchanged += 1

    def _drop(self, expert: Expert) -> None:
        reading = self._held.pop(expert)
        reading.stop()
        self._ops.place_expert(self._moes[expert[0]], expert[1], None)
        self._slots.append(reading.slot)

    def _wait(self, expert: Expert, reading: _Reading) -> None:
        try:
            for future in reading.futures:
                future.result()
        except OSError as error:
            file = self._copy.file(expert[0])
            raise RunFailed(
                f"cannot read expert {expert[1]} of {file}: {error.strerror or error}; "
                f"{size_text(self.clock.bytes)} were read from {self._copy.folder} before",
                f"{packed.pack_again(self._copy.folder)}; where it fails again, look after the disk (dmesg)",
            ) from error

    def _read(self, expert: Expert, slot: int) -> Sequence[Future[None]]:
        start, begin = slot * self._size, expert[1] * self._size
        view = memoryview(self._room)[start : start + self._size]
        futures = [
            self._pool.submit(self._read_chunk, expert[0], begin + at, view[at : at + CHUNK_BYTES])
            for at in range(0, self._size, CHUNK_BYTES)
        ]
        if expert in self._unchecked:
            futures.append(self._pool.submit(self._check, expert, tuple(futures), view))
        return futures

    def _read_chunk(self, layer: int, at: int, into: memoryview) -> None:
        with self.clock:
            done = 0
            while done < len(into):
                count = os.preadv(self._files[layer], [into[done:]], at + done)
                if count == 0:
                    raise OSError(0, f"the file ends at byte {at + done}")
                done += count
        self.clock.count(done)

    def _check(self, expert: Expert, chunks: Sequence[Future[None]], view: memoryview) -> None:
        """The first time, against the digest. Its chunks were submitted before, so that threads are reading them."""
        wait(chunks)
        if all(not chunk.cancelled() and chunk.exception() is None for chunk in chunks):
            if packed.digest(view) != self._copy.manifest.sha256[expert[0]][expert[1]]:
                raise OSError(0, "its bytes are not those that were packed")
            self._unchecked.discard(expert)

    def _memory(self, slot: int) -> Tensor:
        return torch.frombuffer(self._room, dtype=torch.uint8, count=self._size, offset=slot * self._size)


class ReadClock:
    """Bytes read, and the seconds in which at least one thread was reading."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = 0
        self._since = 0.0
        self.bytes = 0
        self.seconds = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._active == 0:
                self._since = time.perf_counter()
            self._active += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._active -= 1
            if self._active == 0:
                self.seconds += time.perf_counter() - self._since

    def count(self, size: int) -> None:
        with self._lock:
            self.bytes += size


def room(size: int) -> mmap.mmap:
    """Memory for reads: it begins at a page, as those around the page cache ask for, and its pages are huge where the
    machine has such. Pages that lie together are read in one request of the disk: measured on a virtual disk 2.5 to 3.2
    GB/s, against 1.4 to 1.8 with small ones. Linux makes private memory huge that asks for it, shared memory seldom.
    """
    memory = mmap.mmap(-1, max(size, DISK_BLOCK), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for advice in ("MADV_HUGEPAGE", "MADV_DONTFORK"):
        # open(2): a fork while O_DIRECT fills private memory may lose what is read, unless the child has none of it.
        with suppress(OSError, AttributeError):  # smaller pages are slower, and right
            memory.madvise(getattr(mmap, advice))
    return memory


def opened(path: Path) -> int:
    """Around the page cache, where the file system can."""
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_DIRECT", 0))
    except OSError:
        return os.open(path, os.O_RDONLY)
