"""What a disk gives a packed copy in order, by threads that read and bytes of a read. One JSON object.

    python benchmarks/engine_disk.py --checkpoint DIR [--threads 1,2,4,8,16] [--mib 1,4,16] [--rounds 3] [--seconds 1]

The forms take turns, because a disk that is shared changes by the minute. Reads go around the page cache, as the
engine's do, and each form goes on where the one before it stopped.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.engine import packed
from assay.engine.expert_stream import CHUNK_BYTES, THREADS, opened, room


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--threads", default="1,2,4,8,16")
    parser.add_argument("--mib", default="1,4,16", help="of a read")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each form in a round")
    args = parser.parse_args()
    forms = list(itertools.product(map(int, args.threads.split(",")), map(int, args.mib.split(","))))
    found: dict[str, list[float]] = {f"{threads} threads, {mib} MiB": [] for threads, mib in forms}
    copy = InOrder(args.checkpoint, max(threads * mib for threads, mib in forms) << 20)
    for _ in range(args.rounds):
        for (threads, mib), rates in zip(forms, found.values()):
            rates.append(round(copy.bytes_per_s(args.seconds, threads, mib << 20) / 1e9, 3))
    report = {"checkpoint": str(args.checkpoint), "load_average": os.getloadavg(), "gb_per_s": found}
    print(json.dumps(report, indent=1))


class InOrder:
    """The files of a packed copy, read front to back and round again."""

    def __init__(self, checkpoint: Path, room_bytes: int = THREADS * CHUNK_BYTES) -> None:
        """`room_bytes`: for reads at once."""
        files = [
            file for folder in packed.folders_in(checkpoint) for file in sorted(folder.glob("*.experts"))
        ]
        self._files = [(opened(file), file.stat().st_size) for file in files]
        self._size = sum(size for _, size in self._files)
        self._read = 0
        """Bytes so far"""
        self._room = room(room_bytes)
        self._room.write(bytes(room_bytes))  # pages that are there cost the first reader nothing

    def bytes_per_s(self, seconds: float, threads: int = THREADS, chunk: int = CHUNK_BYTES) -> float:
        """Of the reads that begin within so many seconds, until the last of them has ended."""
        places = [(file, at) for file, size in self._files for at in range(0, size, chunk)]
        begin = self._read % self._size * len(places) // self._size
        following = itertools.cycle(places[begin:] + places[:begin])
        view, began = memoryview(self._room), time.perf_counter()

        def read(thread: int) -> int:
            into, total = view[thread * chunk : (thread + 1) * chunk], 0
            while time.perf_counter() - began < seconds:
                file, at = next(following)
                total += os.preadv(file, [into], at)
            return total

        with ThreadPoolExecutor(threads) as pool:
            total = sum(pool.map(read, range(threads)))
        self._read += total
        return total / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
