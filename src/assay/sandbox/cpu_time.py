"""CPU time of the processes of a tree, and how long one of them waited for a processor. Linux only; zeros elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuTime:
    used_s: float
    """CPU seconds of all running tasks, and of ended ones that their parents waited for."""
    wait_s: float
    """Seconds that other processes kept the tree from the processors: the longest time that one task was runnable but
    did not run.

    It is divided by the number of tasks that waited at least half as long, because those waited for each other.
    Source: Linux, Documentation/scheduler/sched-stats, /proc/<pid>/schedstat, second number.
    """

    pids: frozenset[int] = frozenset()


def of_tree(pid: int) -> CpuTime:
    """The CPU time of a process and its current descendants."""
    pids = list(tree(pid))
    tasks = [times for pid in pids for times in _tasks(pid)]
    used_s = sum(ran for ran, _ in tasks) / 1e9 + sum(_children_ticks(pid) for pid in pids) / _TICKS
    longest = max((waited for _, waited in tasks), default=0)
    rivals = sum(waited >= longest / 2 for _, waited in tasks)
    return CpuTime(used_s, longest / 1e9 / max(rivals, 1), frozenset(pids))


def tree(root: int) -> Iterator[int]:
    """The pids of a process and its current descendants."""
    found = [root]
    while found:
        pid = found.pop()
        yield pid
        for children in _of_threads(pid, "children"):
            found += map(int, children.split())


def _children_ticks(pid: int) -> int:
    """CPU time, in clock ticks, of ended children that the process waited for. Source: proc(5), stat, fields 16 and
    17."""
    try:
        text = (PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()  # from the third field on: the second may contain anything
    return int(fields[13]) + int(fields[14])


def _tasks(pid: int) -> Iterator[tuple[int, int]]:
    """(time it ran, time it waited) of each thread, in nanoseconds."""
    for schedstat in _of_threads(pid, "schedstat"):
        with suppress(ValueError):
            ran, waited, _ = map(int, schedstat.split())
            yield ran, waited


def _of_threads(pid: int, name: str) -> Iterator[str]:
    """File `name` of each thread. A process may end while its threads are listed, and a thread before it is read."""
    threads = PROC / str(pid) / "task"
    with suppress(OSError):
        for thread in list(threads.iterdir()):
            with suppress(OSError):
                yield (thread / name).read_text()
