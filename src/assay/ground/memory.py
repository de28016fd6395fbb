"""The memory of this machine, as far as this process may use it: less than the machine has, where a container or a
cluster's job has a limit (control groups of Linux). A limit that cannot be read is none.

Source: Linux, admin-guide/cgroup-v2.rst (memory.max, memory.current, memory.stat) and cgroup-v1/memory.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OF_PROCESS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class _Files:
    """The names of one version of control groups."""

    limit: str
    used: str
    cached: tuple[str, ...]
    """Entries of memory.stat: files in memory, which the kernel gives up before it ends a process"""


V1 = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file"))
V2 = _Files("memory.max", "memory.current", ("active_file", "inactive_file"))


def available() -> int:
    """Bytes that can be taken without swapping, and without being ended for a limit."""
    import psutil  # here, as commands that ask nothing of memory import this file

    return max(0, min((psutil.virtual_memory().available, *(free for _, free in _limits()))))


def total() -> int:
    """Bytes that the machine has, or that a limit leaves of them."""
    import psutil

    return int(min((psutil.virtual_memory().total, *(limit for limit, _ in _limits()))))


def _limits() -> Iterator[tuple[int, int]]:
    """(limit, free of it) of every group that this process is in: a group is bound by those around it, too."""
    for folder, files in _groups():
        try:
            limit = int((folder / files.limit).read_text())
            used = int((folder / files.used).read_text())
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            yield limit, limit - used + sum(int(stat[name]) for name in files.cached)
        except (OSError, ValueError, KeyError):  # no such group, or its limit is `max`
            continue


def _groups() -> Iterator[tuple[Path, _Files]]:
    """Where a group's files may be: at its path, or at the root where a container sees its own group alone."""
    try:
        lines = OF_PROCESS.read_text().splitlines()
    except (OSError, ValueError):
        lines = []
    for line in (*lines, "0::/", "0:memory:/"):
        _, kinds, path = line.split(":", 2)
        inside = Path(path.lstrip("/"))
        if not kinds:
            yield from ((ROOT / each, V2) for each in (inside, *inside.parents))
        elif "memory" in kinds.split(","):
            yield from ((ROOT / "memory" / each, V1) for each in (inside, *inside.parents))
