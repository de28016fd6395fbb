"""How fast experts come from disk here: a short read of a packed copy, by the threads that the engine reads
with, into memory such as theirs."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.engine import packed
from assay.engine.expert_stream import CHUNK_BYTES, THREADS, opened, room
from assay.ground.errors import ArtifactError

MEASURE_S = 2.0
LEAST_BYTES_PER_S = 1e6
"""What is said of a disk that gives nothing in this time"""


def measure(checkpoint: Path) -> float:
    """Bytes/s of a packed copy in the folder. Raises: ArtifactError where there is none, or it cannot be read."""
    layers = [file for folder in packed.folders_in(checkpoint) for file in sorted(folder.glob("*.experts"))]
    if not layers:
        raise ArtifactError(
            f"{checkpoint} has no packed copy to measure its disk with",
            f"assay model pack --checkpoint {checkpoint}",
        )
    file = layers[len(layers) // 2]
    try:
        return max(_bytes_per_s(file), LEAST_BYTES_PER_S)
    except OSError as error:
        raise ArtifactError(
            f"cannot read {file}: {error.strerror}", packed.pack_again(file.parent)
        ) from error


def _bytes_per_s(file: Path) -> float:
    descriptor, size = opened(file), file.stat().st_size
    until = time.perf_counter() + MEASURE_S

    def read(place: int) -> int:
        if time.perf_counter() > until:
            return 0
        begin = place % THREADS * CHUNK_BYTES
        return os.preadv(descriptor, [view[begin : begin + CHUNK_BYTES]], place * CHUNK_BYTES)

    view = memoryview(room(THREADS * CHUNK_BYTES))
    began = time.perf_counter()
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            total = sum(pool.map(read, range(-(-size // CHUNK_BYTES))))
        return total / (time.perf_counter() - began)
    finally:
        os.close(descriptor)
