"""The limits that the engine works against: the fastest matrix products and memory reads of this machine.

Measured on demand (`assay doctor --roofline`), kept in the store, and laid beside the rates of every later run.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from assay.config import Precision
from assay.ground import files, settings

SIDE = 2048
"""Rows and columns of the square matrices multiplied."""
READ_BYTES = 256 << 20
"""More than any cache of one socket."""
REPEATS = 5


@dataclass(frozen=True)
class Roofline:
    """Best of a few repeats on all cores, with nothing else running if the figures are to mean much."""

    machine: str
    measured_at: str
    """UTC"""
    gflop_per_s: dict[str, float]
    """Precision -> 2 per multiply-add of a square product, PyTorch's own; integer operations for int8"""
    read_gb_per_s: float
    """A matrix times a vector: every byte is read once, as weights are by a decode step"""


def measure(side: int = SIDE, read_bytes: int = READ_BYTES) -> Roofline:
    """Takes a second or two."""
    whole = torch.rand(side, side)
    short, small = whole.bfloat16(), (whole * 100).to(torch.int8)
    work = {
        Precision.FLOAT32: lambda: torch.mm(whole, whole),
        Precision.BFLOAT16: lambda: torch.mm(short, short),
        Precision.INT8: lambda: torch._int_mm(small, small),
    }
    rates = {p.value: float(f"{2 * side**3 / _best(product) / 1e9:.3g}") for p, product in work.items()}
    long, vector = torch.ones(read_bytes // (4 * side), side), torch.ones(side)
    read = float(f"{long.nbytes / _best(lambda: torch.mv(long, vector)) / 1e9:.3g}")
    return Roofline(platform.node(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), rates, read)


def keep(limits: Roofline) -> Path:
    """Write them into the store; later runs show them."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, asdict(limits))
    return path


def kept() -> Roofline | None:
    """What was measured on this machine last; None when nothing was, or on another machine."""
    try:
        found = Roofline(**json.loads(_path().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.machine == platform.node() else None


def _path() -> Path:
    return settings.home() / "limits.json"


def _best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)
