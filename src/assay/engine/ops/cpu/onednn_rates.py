"""Whether oneDNN projects attention, and from how many rows: measured once per machine, and kept beside the kernels.

Compared are two ways in which a weight of attention may lie: as the set of the process packs it, and as the panels that
our AVX-512 kernels and oneDNN both read. Without AMX they are one, and nothing is lost where oneDNN is never faster.
Experts never run on it: through oneDNN those of a layer took a fifth more time or worse (docs/engine-measured.md). Nor
does the head, whose scores decide between tokens: in bfloat16 the best two are often equal.
"""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from assay.config import Precision
from assay.engine.forward import torch_threads
from assay.engine.ops import TilesFrom
from assay.engine.ops.cpu import rates
from assay.engine.ops.cpu.cpu_ops import CpuOps
from assay.engine.ops.cpu.instructions import InstructionSet
from assay.engine.ops.cpu.rates import NEVER, SHAPE, Rate
from assay.ground import files

ROWS = (16, 64, 256, 1024)
REPEATS = 3
GAIN_MIN = 1.03
"""How much faster oneDNN must be: a measurement is some 3 % off, and its result is rounded once more."""
ERROR_MAX = 4e-3
"""Part of the largest value: bfloat16 has 8 bits."""


@dataclass(frozen=True)
class OneDnnRates:
    """Of one core in CPU time, as Rate has them, bfloat16; oneDNN's result brought to float32."""

    measured_at: str
    """UTC"""
    torch: str
    """Its version, which decides oneDNN's"""
    own: Rate
    """Our kernels on weights as the set of this machine packs them"""
    panels: Rate
    """AVX-512 on panels"""
    onednn: Rate
    """oneDNN on panels"""

    def rows_from(self, step_rows: Sequence[int]) -> int | None:
        """Fewest rows for oneDNN in an engine whose steps have about these many; None where it does not pay."""
        slower = {rows: rate / GAIN_MIN for rows, rate in self.onednn.items()}
        start = rates.fewest_rows(self.panels, slower)

        def gain(rows: int) -> float:
            known = str(max((n for n in map(int, self.own) if n <= rows), default=min(map(int, self.own))))
            return (self.onednn if int(known) >= start else self.panels)[known] / self.own[known]

        pays = start != NEVER and sum(map(gain, step_rows)) >= GAIN_MIN * len(step_rows)
        return start if pays else None


def kept_or_measured(
    lib: ctypes.CDLL, library: Path, best: InstructionSet, tiles_from: TilesFrom | None
) -> OneDnnRates:
    """Those of the kernels in file `library` with this PyTorch, measured now if they never were: a second.

    Raises: EnvironmentProblem when oneDNN gives other answers than the reference.
    """
    try:
        found = OneDnnRates(**json.loads(_beside(library).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        found = None
    if found is None or found.torch != torch.__version__:
        found = measure(lib, library, best, tiles_from)
    return found


def measure(
    lib: ctypes.CDLL, library: Path, best: InstructionSet, tiles_from: TilesFrom | None
) -> OneDnnRates:
    """Check oneDNN against the reference, then measure and keep. Raises: EnvironmentProblem as above."""
    few = CpuOps(lib, Precision.BFLOAT16, SHAPE, 1, best, tiles_from, NEVER)
    many = CpuOps(lib, Precision.BFLOAT16, SHAPE, 1, best, tiles_from, 1)
    own = CpuOps(lib, Precision.BFLOAT16, SHAPE, 1, best, tiles_from)
    found: dict[CpuOps, Rate] = {own: {}, few: {}, many: {}}
    with torch_threads(1):
        rates.refuse_wrong_answers(many, Precision.BFLOAT16, "oneDNN differs", ERROR_MAX, "kernels=avx512")
        weights = [rates.random_rows(rates.COLUMNS, rates.DEPTH) for _ in range(rates.WEIGHTS)]
        packed = {ops: [ops.pack_matrix(weight) for weight in weights] for ops in found}
        for rows in ROWS:
            h = rates.random_rows(rows, rates.DEPTH)
            sweeps = [{ops: rates.cpu_seconds(ops, h, packed[ops]) for ops in found} for _ in range(REPEATS)]
            for ops, rate in found.items():
                rate[str(rows)] = rates.rate(rows, min(sweep[ops] for sweep in sweeps))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kept = OneDnnRates(stamp, torch.__version__, *found.values())
    files.write_json(_beside(library), asdict(kept))
    return kept


def _beside(library: Path) -> Path:
    return library.with_suffix(".onednn.json")
