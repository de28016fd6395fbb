"""The answers of an accuracy run as they come, in a file that is sound wherever its writer is killed.

    RunFolder.journal      16 bytes of MAGIC, then an entry for each answer:
    header  length of the body in bytes, CRC-32 of the body (uint32 each)
    body    int32: sample index, 1 where a first token was reported else 0, that token, then the answer's token ids

LoadGen's own log is no such file: LoadGen writes it through a buffer, and without its end it is no list.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.ground.errors import ArtifactError

MAGIC = b"assay answers 1\n"
HEADER = struct.Struct("<II")
FIXED = 3
"""Numbers of a body before the answer's token ids."""
NUMBER = np.dtype("<i4")


@dataclass(frozen=True)
class KeptAnswer:
    """One answer as it was handed to LoadGen."""

    sample_index: int
    first_id: int | None
    """What was reported as its first token; None where none was."""
    token_ids: NDArray[np.int32]


def read(path: Path) -> dict[int, KeptAnswer]:
    """Sample index -> its answer, of every whole entry; empty without a file. What a kill cut off is left out.

    Raises: ArtifactError for another file, or one that cannot be read.
    """
    return _entries(path)[0]


class JournalWriter:
    """Appends answers; an entry is in the file, as far as other processes see, when `add` returns."""

    def __init__(self, path: Path) -> None:
        """Goes on after the last whole entry. Raises: as `read`; OSError when it cannot be written."""
        _, size = _entries(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.ftruncate(self._file, size)
        if not size:
            self._write(MAGIC)

    def add(
        self,
        indices: Sequence[int],
        first_ids: Mapping[int, int],
        counts: Sequence[int],
        tokens: NDArray[np.int32],
    ) -> None:
        """Answers one after the other in `tokens`, `counts` ids each; `first_ids` by sample index.

        Raises: OSError when the disk is full.
        """
        entries, place = bytearray(), 0
        for index, count in zip(indices, counts):
            first = first_ids.get(index)
            head = np.array((index, first is not None, first or 0), NUMBER)
            body = head.tobytes() + tokens[place : place + count].astype(NUMBER, copy=False).tobytes()
            entries += HEADER.pack(len(body), zlib.crc32(body)) + body
            place += count
        self._write(entries)

    def close(self) -> None:
        os.close(self._file)

    def _write(self, data: bytes | bytearray) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]


class Keeper:
    """Keeps the answers of one LoadGen run in a journal, by the samples that LoadGen's indices stand for.

    Lives in the LoadGen child: LoadGen's threads issue, one other thread answers.
    """

    def __init__(self, path: Path, asks: Sequence[int] | None) -> None:
        """`asks`: the sample of each of LoadGen's indices; None = they are the samples'. Raises: as JournalWriter."""
        self._writer = JournalWriter(path)
        self._asks = None if asks is None else np.array(asks, np.int32)
        self._sample: dict[int, int] = {}
        """Open query -> sample; LoadGen uses an id again when its query has ended."""
        self._firsts: dict[int, int] = {}
        """Sample -> what was reported as its first token, of open queries."""

    def issued(self, ids: Sequence[int], indices: NDArray[np.int32]) -> NDArray[np.int32]:
        """The samples that LoadGen asks for."""
        samples = indices if self._asks is None else self._asks[indices]
        self._sample.update(zip(ids, samples.tolist()))
        return samples

    def began(self, ids: Sequence[int], first_ids: Sequence[int]) -> None:
        self._firsts.update((self._sample[query], first) for query, first in zip(ids, first_ids))

    def answered(self, ids: Sequence[int], counts: Sequence[int], tokens: NDArray[np.int32]) -> None:
        """Raises: OSError when the disk is full."""
        samples = [self._sample.pop(query) for query in ids]
        self._writer.add(samples, self._firsts, counts, tokens)
        for sample in samples:
            self._firsts.pop(sample, None)


def _entries(path: Path) -> tuple[dict[int, KeptAnswer], int]:
    """The whole entries, and the bytes that they take."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}, 0
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error
    if not data.startswith(MAGIC):
        if MAGIC.startswith(data):
            return {}, 0
        raise ArtifactError(f"{path} is no journal of answers", "remove it: the run starts over")
    found: dict[int, KeptAnswer] = {}
    place = len(MAGIC)
    while place + HEADER.size <= len(data):
        size, digest = HEADER.unpack_from(data, place)
        end = place + HEADER.size + size
        body = data[place + HEADER.size : end]
        if (
            len(body) < size
            or size < FIXED * NUMBER.itemsize
            or size % NUMBER.itemsize
            or zlib.crc32(body) != digest
        ):
            break
        numbers = np.frombuffer(body, NUMBER)
        index, has_first, first = (int(number) for number in numbers[:FIXED])
        found[index] = KeptAnswer(index, first if has_first else None, numbers[FIXED:])
        place = end
    return found, place
