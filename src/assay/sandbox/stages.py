"""Limits the time of each stage of a child process. Time that other processes kept it waiting is not counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from assay.sandbox import cpu_time

PATIENCE = 10
"""A stage lasts at most this many times its limit, however long it was kept waiting. A choice: the end of a
program must come, also on a machine that is overloaded for good."""
_AGAIN_S = 1.0
"""Seconds between two looks at a stage that is past its limit: each reads /proc for every task of the tree."""


class Stages:
    """The current stage of a process, and whether its time is used up."""

    def __init__(self, limits_s: Sequence[float], pid: int, cpu_s: Callable[[], float]) -> None:
        self._limits_s, self._pid, self._cpu_s = limits_s, pid, cpu_s
        self._stage = -1
        self.was_starved = False
        self._pids: frozenset[int] = frozenset()
        self.reach(0)

    def reach(self, stage: int) -> None:
        if stage != self._stage:
            self._stage, self._began, self._cpu_before = stage, time.monotonic(), self._cpu_s()
            self._look = self._began + self._limits_s[stage]

    def is_overdue(self) -> bool:
        now = time.monotonic()
        if now < self._look:
            return False
        self._look = now + _AGAIN_S
        used_s, tree = self._cpu_s() - self._cpu_before, cpu_time.of_tree(self._pid)
        # CPU time of short processes is not always counted. A program that keeps starting them waits for itself.
        is_restless = self._stage == len(self._limits_s) - 1 and bool(self._pids - tree.pids)
        self._pids = tree.pids
        waited_s = 0.0 if is_restless else tree.wait_s
        is_overdue, self.was_starved = judged(
            self._limits_s[self._stage], now - self._began, used_s, waited_s
        )
        return is_overdue


def judged(limit_s: float, elapsed_s: float, used_s: float, waited_s: float) -> tuple[bool, bool]:
    """(whether the stage is over, whether other processes are the proven cause), at a moment past the limit.

    used_s: CPU time of all tasks of the tree. waited_s: how long one task waited for a processor. While a task waits
    because of other tasks of its own tree, one of these runs. So waiting time beyond the CPU time of the tree was
    caused by processes outside it, whatever the tree does.
    """
    had_its_time = used_s >= limit_s or elapsed_s - waited_s >= limit_s
    is_over = had_its_time or elapsed_s >= PATIENCE * limit_s
    return is_over, not had_its_time and waited_s - used_s > limit_s
