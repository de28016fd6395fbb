"""A control group that bounds the memory and the number of processes of everything that runs in it together.

Works where the caller may create groups (usually root), on version 1 and version 2; elsewhere there is none,
and only the limits of each single process bind. The group also counts the CPU time of all that ran in it.
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


@dataclass(frozen=True)
class Cgroup:
    """One group: a folder on version 2, a folder for each controller on version 1."""

    folders: tuple[Path, ...]
    handles: tuple[int, ...]
    """Open while this process owns the folders; see ground/scratch.py."""

    @property
    def entrances(self) -> list[str]:
        """Files into which a process writes `0` to join."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    @property
    def cpu_s(self) -> Callable[[], float] | None:
        """Tells the CPU seconds of all that ever ran in the group; None where the kernel does not count them."""
        for folder in self.folders:
            if (nanoseconds := folder / "cpuacct.usage").is_file():
                return lambda: int(nanoseconds.read_text()) / 1e9
            if (statistics := folder / "cpu.stat").is_file() and "usage_usec" in statistics.read_text():
                return lambda: int(statistics.read_text().split("usage_usec", 1)[1].split()[0]) / 1e6
        return None

    def settle(self) -> None:
        """Wait until it is empty: what was killed takes a moment to leave, and counts until then."""
        for _ in range(_TRIES):
            if not any(Path(entrance).read_text() for entrance in self.entrances):
                return
            time.sleep(_LEAVE_S)

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
        for handle in self.handles:
            os.close(handle)


def create(memory_bytes: int, processes: int, root: Path = ROOT) -> Cgroup | None:
    """A new group with these limits, or None when this machine or user cannot have one.

    Groups of processes that ended without removing them are removed first.
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
                # The kernel makes these files; one that is missing means that its controller is off.
                with (folder / file).open("r+") as limit:
                    limit.write(str(value))
    except OSError:
        Cgroup(tuple(made), tuple(handles)).remove()
        return None
    return Cgroup(tuple(made), tuple(handles))
