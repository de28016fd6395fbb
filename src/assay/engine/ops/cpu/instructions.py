"""Which instructions multiply: portable, AVX-512 or AMX tiles. One set per process; see docs/adr/0005.

Portable is what the compiler makes of the same C++ for this processor: AVX2, NEON, AVX-512 without BF16.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum

from assay.ground.errors import EnvironmentProblem


class InstructionSet(IntEnum):
    """Each can what those before it can. Numbered as in common.h."""

    PORTABLE = 0
    AVX512 = 1
    AMX = 2

    @property
    def label(self) -> str:
        return ("portable", "AVX-512", "AMX")[self]


def label(lib: ctypes.CDLL, chosen: InstructionSet) -> str:
    """The set, and what the portable one was compiled for: "AVX-512", "portable (AVX2)"."""
    if chosen is not InstructionSet.PORTABLE:
        return chosen.label
    return f"{chosen.label} ({lib.assay_portable_for().decode()})"


SPELLINGS = {
    "portable": InstructionSet.PORTABLE,
    "avx512": InstructionSet.AVX512,
    "amx": InstructionSet.AMX,
}
"""EngineConfig.kernels that ask for one set"""


def choose(lib: ctypes.CDLL, kernels: str) -> tuple[InstructionSet, tuple[str, ...]]:
    """The set to run, and notes for the result. `kernels`: a key of SPELLINGS, or anything else for the best.

    Raises: EnvironmentProblem when a set that was asked for cannot run on this machine.
    """
    best, notes = InstructionSet(lib.assay_best_set()), tuple[str, ...]()
    vectors = InstructionSet(lib.assay_best_vectors())
    if best is InstructionSet.AMX and SPELLINGS.get(kernels, best) is best and not lib.assay_permit_tiles():
        best, notes = (
            vectors,
            ("AMX is not used: the kernel of this machine refused its tile state",),
        )
    asked = SPELLINGS.get(kernels, best)
    if asked not in (InstructionSet.PORTABLE, vectors, best):
        raise EnvironmentProblem(
            f"this machine cannot run {asked.label} kernels" + "".join(f" ({note})" for note in notes),
            "kernels=native runs the best set that it can",
        )
    return asked, notes
