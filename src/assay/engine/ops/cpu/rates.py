"""Which products run on AMX tiles and which on AVX-512: measured once per machine, and kept beside the kernels.

Tiles always multiply 16 rows, so that with few rows AVX-512 may be faster. Where that ends differs by processor.
"""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from assay.config import Precision
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops import TilesFrom, reference
from assay.engine.ops.cpu.cpu_ops import CpuOps
from assay.engine.ops.cpu.instructions import InstructionSet
from assay.engine.ops.cpu.packer import Packed
from assay.ground import files
from assay.ground.errors import EnvironmentProblem

ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
DEPTH, COLUMNS, WEIGHTS = 1024, 3584, 2
"""Two weights of 7.3 MB in bfloat16: more than an L2 cache holds."""
REPEATS = 3
NEVER = 1 << 30
"""More rows than a step has"""
CHECKED_ROWS, CHECKED_COLUMNS = (1, 17, 160), 200
ERROR_MAX = {Precision.BFLOAT16: 1e-5, Precision.INT8: 8e-3}
"""Part of the largest value. bfloat16 sums in another order; int8 rounds a value halfway between two either way."""
SHAPE = DecoderConfig(
    vocab_size=8,
    hidden_size=DEPTH,
    intermediate_size=COLUMNS,
    num_layers=1,
    num_heads=16,
    num_kv_heads=4,
    head_dim=64,
    num_experts=8,
    experts_per_token=2,
    rms_norm_eps=1e-5,
    rope_theta=1e4,
    max_positions=8,
    tied_embeddings=False,
    eos_ids=(),
)

Rate = dict[str, float]
"""Rows, as text -> GFLOP/s of one core in CPU time, the best of a few; integer operations for int8"""


@dataclass(frozen=True)
class Rates:
    measured_at: str
    """UTC"""
    vectors: dict[str, Rate]
    """By precision: AVX-512 on weights that lie as tiles"""
    tiles: dict[str, Rate]
    """By precision: AMX"""

    @property
    def tiles_from(self) -> TilesFrom:
        return TilesFrom(
            **{name: fewest_rows(self.vectors[name], self.tiles[name]) for name in ("bfloat16", "int8")}
        )


def fewest_rows(vectors: Mapping[str, float], tiles: Mapping[str, float]) -> int:
    """The rows from which tiles are to run: the choice of least time, summed over all measured rows, each counted as a
    part of its slower time. NEVER when vectors are faster everywhere."""

    def cost(start: int) -> float:
        return sum(
            min(vectors[rows], tiles[rows]) / (tiles if int(rows) >= start else vectors)[rows]
            for rows in tiles
        )

    return min((*map(int, tiles), NEVER), key=cost)


def kept_or_measured(lib: ctypes.CDLL, library: Path) -> Rates:
    """The rates of the kernels in file `library`, measured now if they never were: a few seconds.

    Raises: EnvironmentProblem when tiles give other answers than the reference.
    """
    try:
        return Rates(**json.loads(_beside(library).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return measure(lib, library)


def measure(lib: ctypes.CDLL, library: Path) -> Rates:
    """Check tiles against the reference, then measure and keep. Raises: EnvironmentProblem as above."""
    vectors, tiles = {}, {}
    for precision in (Precision.BFLOAT16, Precision.INT8):
        ops = CpuOps(lib, precision, SHAPE, 1, InstructionSet.AMX, TilesFrom(1, 1))
        limit = ERROR_MAX[precision]
        refuse_wrong_answers(ops, precision, "AMX tiles differ", limit, "kernels=avx512")
        vectors[precision.value], tiles[precision.value] = _measured(lib, ops)
    found = Rates(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), vectors, tiles)
    keep(found, library)
    return found


def keep(rates: Rates, library: Path) -> None:
    """Write them beside the library that they were measured with."""
    files.write_json(_beside(library), asdict(rates))


def _beside(library: Path) -> Path:
    return library.with_suffix(".rates.json")


def refuse_wrong_answers(ops: CpuOps, precision: Precision, who: str, error_max: float, hint: str) -> None:
    """Hold products of a few rows against the reference. Raises: EnvironmentProblem when they differ by more than
    error_max, a part of the largest value."""
    weight = random_rows(CHECKED_COLUMNS, DEPTH)
    packed = ops.pack_matrix(weight)
    for rows in CHECKED_ROWS:
        h = random_rows(rows, DEPTH)
        if precision is Precision.INT8:
            expected = reference.linear_int8(*reference.quantise_rows(h), *reference.quantise_rows(weight))
        else:
            expected = h.float() @ weight.float().T
        error = float((ops.linear(h, packed) - expected).abs().max() / expected.abs().max())
        if not error < error_max:
            raise EnvironmentProblem(
                f"{who} from the reference by {error:.1e} of the largest value in {precision.value}, "
                f"more than {error_max:.0e}",
                hint,
            )


def _measured(lib: ctypes.CDLL, ops: CpuOps) -> tuple[Rate, Rate]:
    packed = [ops.pack_matrix(random_rows(COLUMNS, DEPTH)) for _ in range(WEIGHTS)]
    vectors, tiles = Rate(), Rate()
    for rows in ROWS:
        h = random_rows(rows, DEPTH)
        seconds: dict[int, list[float]] = {NEVER: [], 1: []}
        for _ in range(REPEATS):
            for start, took in seconds.items():
                lib.assay_configure(1, InstructionSet.AMX, start, start)
                took.append(cpu_seconds(ops, h, packed))
        vectors[str(rows)], tiles[str(rows)] = (rate(rows, min(took)) for took in seconds.values())
    return vectors, tiles


def rate(rows: int, seconds: float) -> float:
    """GFLOP/s of a product with each of the measured weights."""
    return round(2 * rows * DEPTH * COLUMNS * WEIGHTS / 1e9 / seconds, 1)


def cpu_seconds(ops: CpuOps, h: Tensor, packed: list[Packed]) -> float:
    """Of the thread, so that foreign processes disturb caches and memory but not the count."""
    start = time.thread_time()
    for each in packed:
        ops.linear(h, each)
    return time.thread_time() - start


def random_rows(rows: int, columns: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows)).bfloat16()
