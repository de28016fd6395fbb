"""The processors of this machine, as far as this process may use them."""

from __future__ import annotations

import os


def usable() -> int:
    """Cores that this process may run on: fewer than the machine has inside a container or under taskset."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_ids() -> list[int]:
    """Their numbers, in order; empty where the system binds no processes to cores."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
