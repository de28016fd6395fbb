"""Earlier runs of the same on the same machine: how much its runs differ where nothing was changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from assay.config import plain
from assay.ground.errors import ArtifactError
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult, Status
from assay.mlperf.record.run_folder import RunFolder
from assay.report.flat import leaves
from assay.report.run_side import samples_of

MOST_READ = 200
"""Records that are read of a folder, the newest."""
ASKED = ("scenarios", "style", "limits.", "sut", "device", "precision")
"""Settings that must be the same; `paths` and `submission` change nothing of what is measured."""
HARDWARE = (
    "host_processor_model_name",
    "host_processor_core_count",
    "host_memory_capacity",
    "accelerators_per_node",
    "accelerator_model_name",
)


def near(folders: Iterable[Path], compared: Sequence[Path]) -> tuple[RunResult, ...]:
    """The complete runs that lie in these folders, the oldest first, without those that are compared.

    A record that cannot be read is passed over: it says nothing of this machine.
    """
    known = {os.path.realpath(place) for place in compared}
    found: dict[str, RunResult] = {}
    for folder in folders:
        for record in sorted(folder.glob(f"*/{RunFolder(folder).result.name}"), key=_age)[:MOST_READ]:
            place = os.path.realpath(record.parent)
            if place not in known and place not in found and (made := _read(Path(place))):
                found[place] = made
    return tuple(sorted(found.values(), key=lambda each: each.started_at))


def like(made: RunResult, others: Iterable[RunResult]) -> tuple[RunResult, ...]:
    """Those of the same work, settings, software and hardware."""
    own = _likeness(made)
    return tuple(each for each in others if _likeness(each) == own)


def _likeness(made: RunResult) -> tuple[object, ...]:
    asked = [(k, v) for k, v in leaves(plain(made.asked)) if k.startswith(ASKED)]
    used = made.used
    ran = (
        (used.sut, used.backend, used.precision, used.device, used.batch, used.weights_sha256)
        if used
        else None
    )
    hardware = tuple(made.system[name].value if name in made.system else None for name in HARDWARE)
    return (*samples_of(made), made.round, made.loadgen.version, tuple(asked), ran, hardware)


def _age(record: Path) -> float:
    try:
        return -record.stat().st_mtime
    except OSError:
        return 0.0


def _read(folder: Path) -> RunResult | None:
    try:
        made = result.read(folder)
    except ArtifactError:
        return None
    return made if made.status is Status.COMPLETE else None
