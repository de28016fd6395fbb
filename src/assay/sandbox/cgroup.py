"""A control group that limits the memory and the number of processes of all programs in it together.

It works with cgroup versions 1 and 2 where the caller may create groups (usually root). Elsewhere there is no group,
and only the limits of each single process apply. The group also counts the CPU time of all its processes.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.ground import scratch

ROOT = Path("/sys/fs/cgroup")
_TRIES, _LEAVE_S = 500, 0.01
"""Looks at a group, and seconds between them: 5 s in all, for killed processes to leave it. A choice."""


@dataclass(frozen=True)
class Cgroup:
    """One group: a folder on version 2, a folder for each controller on version 1."""

    folders: tuple[Path, ...]
    handles: tuple[int, ...]
    """Descriptors that stay open while this process owns the folders; see ground/scratch.py."""

    @property
    def entrances(self) -> list[str]:
        """Files to which a process writes `0` to join the group."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    @property
    def cpu_s(self) -> Callable[[], float] | None:
        """A function that returns the CPU seconds of all processes that were ever in the group; None when the kernel
        does not count them."""
        for folder in self.folders:
            if (nanoseconds := folder / "cpuacct.usage").is_file():
                return lambda: int(nanoseconds.read_text()) / 1e9
            if (statistics := folder / "cpu.stat").is_file() and "usage_usec" in statistics.read_text():
                return lambda: int(statistics.read_text().split("usage_usec", 1)[1].split()[0]) / 1e6
        return None

    def settle(self) -> None:
        """Waits until the group is empty. Killed processes take a moment to leave, and count until then."""
        for _ in range(_TRIES):
            if not any(Path(entrance).read_text() for entrance in self.entrances):
                return
            time.sleep(_LEAVE_S)

    def remove(self) -> None:
        """Removes the group. The kernel allows that only when it is empty, and killed processes take a moment to
        leave."""
        for folder in self.folders:
            for _ in range(_TRIES):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(_LEAVE_S)
        for handle in self.handles:
            os.close(handle)


def create(memory_bytes: int, processes: int, root: Path = ROOT) -> Cgroup | None:
    """A new group with these limits; None when this machine or user cannot have one.

    First it removes old groups of processes that ended without removing them.
    """
    if (root / "cgroup.controllers").is_file():
        limits = {root: {"memory.max": memory_bytes, "pids.max": processes}}
    else:
        limits = {
            root / "memory": {"memory.limit_in_bytes": memory_bytes},
            root / "pids": {"pids.max": processes},
            **({root / "cpuacct": {}} if (root / "cpuacct").is_dir() else {}),
        }
    for place in limits:
        scratch.remove_abandoned(place.glob("assay-*"), Path.rmdir)
    name = f"assay-{os.getpid()}-{secrets.token_hex(4)}"
    made: list[Path] = []
    handles: list[int] = []
    try:
        for place, values in limits.items():
            folder = place / name
            folder.mkdir()
            made.append(folder)
            if (handle := scratch.own(folder)) is None:
                raise FileNotFoundError(folder)
            handles.append(handle)
            for file, value in values.items():
                # The kernel makes these files. If one is missing, its controller is off.
                with (folder / file).open("r+") as limit:
                    limit.write(str(value))
    except OSError:
        Cgroup(tuple(made), tuple(handles)).remove()
        return None
    return Cgroup(tuple(made), tuple(handles))
