"""A control group that bounds the memory and the number of processes of everything that runs in it together.

Works where the caller may create groups (usually root), on version 1 and version 2; elsewhere there is none,
and only the limits of each single process bind.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_numbers = itertools.count()
_TRIES, _LEAVE_S = 100, 0.01


@dataclass(frozen=True)
class Cgroup:
    """One group: a folder on version 2, a folder for each controller on version 1."""

    folders: tuple[Path, ...]

    @property
    def entrances(self) -> list[str]:
        """Files into which a process writes `0` to join."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def remove(self) -> None:
        """The kernel removes a group only once it is empty: killed processes need a moment to leave it."""
        for folder in self.folders:
            for _ in range(_TRIES):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(_LEAVE_S)


def create(memory_bytes: int, processes: int, root: Path = ROOT) -> Cgroup | None:
    """A new group with these limits, or None when this machine or user cannot have one."""
    name = f"assay-{os.getpid()}-{next(_numbers)}"
    if (root / "cgroup.controllers").is_file():
        limits = {root / name: {"memory.max": memory_bytes, "pids.max": processes}}
    else:
        limits = {
            root / "memory" / name: {"memory.limit_in_bytes": memory_bytes},
            root / "pids" / name: {"pids.max": processes},
        }
    group = Cgroup(tuple(limits))
    try:
        for folder, values in limits.items():
            folder.mkdir()
            for file, value in values.items():
                # The kernel makes these files; one that is missing means that its controller is off.
                with (folder / file).open("r+") as limit:
                    limit.write(str(value))
    except OSError:
        group.remove()
        return None
    return group
