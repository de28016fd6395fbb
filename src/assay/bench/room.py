"""Whether the machine's memory and disks hold a run."""

from __future__ import annotations

from pathlib import Path

from assay.bench.known_model import KnownModel
from assay.config import BYTES_PER_WEIGHT, Precision
from assay.ground import download
from assay.ground.count import size_text
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.run import loadgen_memory
from assay.mlperf.run.job import Job
from assay.mlperf.sut.kind import SutKind


def refuse_large_model(
    model: KnownModel, kind: SutKind | None, precision: Precision, needed: int, free: int
) -> None:
    """`needed`: bytes of the whole run, weights included. Raises: EnvironmentProblem that says what would fit."""
    if model.parameters is None or needed <= free:
        return
    weights = model.weight_bytes(precision)
    beside = needed - weights
    able = kind.precisions if kind else ()
    smaller = [each.value for each in able if model.weight_bytes(each) + beside < free]
    fits = f"{', '.join(smaller)} would fit" if smaller else "no precision of it fits"
    in_float16 = model.weight_bytes(Precision.FLOAT16)
    half = "" if in_float16 == weights else f" ({size_text(in_float16)} in float16)"
    if weights < free:
        fits = f"a smaller --batch, as the weights alone fit; with this one {fits} here"
    else:
        most = max(free - beside, 0) / BYTES_PER_WEIGHT[precision]
        has_experts = model.shape is None or model.shape.experts > 1
        small = (
            "`assay model upcycle` makes a small real Mixtral"
            if has_experts
            else "name one with --checkpoint"
        )
        fits = f"{fits} here; up to {most / 1e9:.2g} B parameters do in {precision.value}: {small}"
    raise EnvironmentProblem(
        f"the {model.parameters / 1e9:.1f} B parameters take {size_text(weights)} in {precision.value}{half}; "
        f"{size_text(needed)} of memory are needed in all and {size_text(free)} are free",
        f"{fits}; or a server with more memory: --sut endpoint --url URL",
    )


def refuse_full_disk(folder: Path, needed: int) -> None:
    """Raises: EnvironmentProblem when the disk of the run folder cannot take the logs."""
    free = download.free_bytes(folder)
    if free < needed:
        raise EnvironmentProblem(
            f"{size_text(needed)} of disk are needed in {folder} and {size_text(free)} are free",
            "--out a folder on another disk",
        )


def refuse_loadgen(job: Job, samples: int, free: int) -> None:
    """Raises: EnvironmentProblem when the round's LoadGen takes more memory than is free."""
    needed = 1e6 * loadgen_memory.needed_mb(job.wheel, max(samples, 1), max(samples, 1))
    if needed > free:
        raise EnvironmentProblem(
            f"LoadGen {job.wheel.version} needs {size_text(needed)} of memory",
            "a later round, or fewer samples",
        )
