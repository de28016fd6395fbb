"""How long each stage of a child process may go on: by the clock, less the time that others kept it waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from assay.sandbox import cpu_time

PATIENCE = 10
"""A stage lasts at most so many times its limit, however long it was kept from the processors."""
_AGAIN_S = 1.0


class Stages:
    """The stage that a process is in, and whether that has had its time."""

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
        # What short-lived processes use is not always counted: a program that keeps starting them waits for itself.
        is_restless = self._stage == len(self._limits_s) - 1 and bool(self._pids - tree.pids)
        self._pids = tree.pids
        waited_s = 0.0 if is_restless else tree.wait_s
        is_overdue, self.was_starved = judged(
            self._limits_s[self._stage], now - self._began, used_s, waited_s
        )
        return is_overdue


def judged(limit_s: float, elapsed_s: float, used_s: float, waited_s: float) -> tuple[bool, bool]:
    """(The stage is over, others are the proven cause) at a moment past the limit.

    used_s: CPU time of all tasks. waited_s: how long one task waited for a processor. While a task waits because of
    others of its own tree, one of these runs. So what it waited beyond the CPU time of the tree was the doing of
    strangers, whatever the tree does.
    """
    had_its_time = used_s >= limit_s or elapsed_s - waited_s >= limit_s
    is_over = had_its_time or elapsed_s >= PATIENCE * limit_s
    return is_over, not had_its_time and waited_s - used_s > limit_s
