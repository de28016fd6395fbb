"""What the machine of a comparison is and can do: measured once, before the first round, and kept beside its runs."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from assay.engine.limits import measure
from assay.ground import cores
from assay.machine import probe

DEPTH, COLUMNS, WEIGHTS = 1024, 3584, 24
"""Weights of 176 MB: more than most caches."""
ROWS = (1, 8, 16, 32, 64, 128, 256)
REPEATS = 3


@dataclass(frozen=True)
class MachineLimits:
    processor: str
    features: str
    """Instruction sets by which engines choose their kernels"""
    cores: int
    gflop_per_s: dict[str, float]
    """By precision: the best square product of PyTorch; integer operations for int8"""
    read_gb_per_s: float
    bf16_by_rows: tuple[tuple[int, float], ...]
    """(rows, GFLOP/s) of oneDNN's prepacked bfloat16 product, 1024 x 3584"""


def machine_limits(folder: Path) -> MachineLimits:
    """Those of `folder`, measured now when it has none; half a minute."""
    path = folder / "limits.json"
    if not path.exists():
        path.write_text(json.dumps(asdict(_measured())))
    return MachineLimits(**json.loads(path.read_text()))


def _measured() -> MachineLimits:
    host, best = probe.fields(), measure()
    return MachineLimits(
        host["host_processor_model_name"].value or "unknown",
        host["host_processor_features"].value or "",
        cores.usable(),
        best.gflop_per_s,
        best.read_gb_per_s,
        tuple((rows, _onednn(rows)) for rows in ROWS),
    )


def _onednn(rows: int) -> float:
    x = torch.randn(rows, DEPTH).bfloat16()
    packed = [
        torch.ops.mkldnn._reorder_linear_weight(torch.randn(COLUMNS, DEPTH).mul_(0.02).bfloat16(), rows)
        for _ in range(WEIGHTS)
    ]
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for weight in packed:
            torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
        took.append(time.perf_counter() - start)
    return round(2 * rows * DEPTH * COLUMNS * WEIGHTS / min(took) / 1e9, 1)
