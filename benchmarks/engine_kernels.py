"""Our grouped product beside oneDNN's prepacked one, on one core, by rows: the table of docs/engine-measured.md.

Times are CPU seconds of the thread, so that foreign processes disturb caches and memory but not the count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from assay.config import Precision
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops.cpu import build, library
from assay.engine.ops.cpu.cpu_ops import CpuOps
from assay.engine.ops.cpu.instructions import choose

DEPTH, COLUMNS, WEIGHTS = 1024, 3584, 12
"""Twelve weights of 7.3 MB: none is still in cache when its turn comes again."""
ROUNDS = 5
SHAPE = DecoderConfig(8, DEPTH, COLUMNS, 1, 16, 4, 64, 8, 2, 1e-5, 1e4, 8, False, ())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--kernels", default="native", help="native, portable, avx512 or amx")
    parser.add_argument("--rows", default="4,8,16,32,64,128,256")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {args.core})
    torch.set_num_threads(1)
    lib = library.load(build.build())
    weights = [torch.randn(COLUMNS, DEPTH).mul_(0.02).bfloat16() for _ in range(WEIGHTS)]
    best, _ = choose(lib, args.kernels)
    bf16, int8 = (CpuOps(lib, p, SHAPE, 1, best) for p in (Precision.BFLOAT16, Precision.INT8))
    packed_bf16, packed_int8 = ([ops.pack_matrix(w) for w in weights] for ops in (bf16, int8))
    print("| rows | ours bfloat16 | oneDNN bfloat16 | median ratio | ours int8 |\n|---|---|---|---|---|")
    for rows in map(int, args.rows.split(",")):
        x = torch.randn(rows, DEPTH).bfloat16()
        onednn = [torch.ops.mkldnn._reorder_linear_weight(w, rows) for w in weights]

        def theirs_of(i: int, x: torch.Tensor = x, packed: list[torch.Tensor] = onednn) -> object:
            return torch.ops.mkldnn._linear_pointwise(x, packed[i], None, "none", [], "")

        def ours_of(i: int, ops: CpuOps, packed: list[Any], x: torch.Tensor = x) -> object:
            return ops.linear(x, packed[i])

        calls: list[Callable[[int], object]] = [
            partial(ours_of, ops=bf16, packed=packed_bf16),
            theirs_of,
            partial(ours_of, ops=int8, packed=packed_int8),
        ]
        seconds = [[cpu_seconds(call) for call in calls] for _ in range(ROUNDS)]
        work = 2 * rows * DEPTH * COLUMNS * WEIGHTS / 1e9
        mine, theirs, small = (work / min(column) for column in zip(*seconds))
        ratio = statistics.median(s[1] / s[0] for s in seconds)
        print(f"| {rows} | {mine:.0f} | {theirs:.0f} | {ratio:.2f} | {small:.0f} |", flush=True)


def cpu_seconds(call: Callable[[int], object]) -> float:
    """One sweep over all weights."""
    start = time.thread_time()
    for i in range(WEIGHTS):
        call(i)
    return time.thread_time() - start


if __name__ == "__main__":
    main()
