"""The memory that a LoadGen process needs, and a turn for each of the large ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assay.ground import lock, memory, settings
from assay.ground.count import size_text
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.rounds.round import Wheel

PREGENERATED_BYTES = 47
"""LoadGen 4.x, Offline: bytes for each sample of each query it generates (765 MB at 4,000 x 4,000,
measured)."""
SAMPLE_BYTES = 450
"""LoadGen 5 and later: bytes a sample, at most. Source: measured over 225,000 to 2.2 million samples."""
LARGE_MB = 2000
"""From here on a LoadGen process runs alone on the machine."""


def needed_mb(wheel: Wheel, samples: int, samples_per_query: int) -> float:
    """Memory that an Offline performance run of this release needs.

    LoadGen 4.x generates as many queries as the dataset has samples, each of the full size, and uses one.
    Example: 4.1.30 over the official 15,000 samples needs 10.6 GB.
    """
    if wheel.is_loadgen_4:
        return 30 + samples * samples_per_query * PREGENERATED_BYTES / 1e6
    return wheel.memory_mb + samples_per_query * SAMPLE_BYTES / 1e6


@contextmanager
def reserved(needed_mb: float, what: str) -> Iterator[None]:
    """Runs the block when `needed_mb` are free, and for large needs while no other such block runs.

    Raises: EnvironmentProblem with both numbers when less is free.
    """
    if needed_mb < LARGE_MB:
        _refuse_without(needed_mb, what)
        yield
        return
    folder = settings.home() / "loadgen"
    folder.mkdir(parents=True, exist_ok=True)
    with lock.held(folder / "large"):
        _refuse_without(needed_mb, what)
        yield


def _refuse_without(needed_mb: float, what: str) -> None:
    free = memory.available()
    if free < 1e6 * needed_mb:
        raise EnvironmentProblem(
            f"{what} needs {size_text(1e6 * needed_mb)} of memory and {size_text(free)} are free",
            "end other programs, use fewer samples, or a later round (LoadGen 5 and later need some 20 MB)",
        )
