"""The processors of this machine, as far as this process may use them."""

from __future__ import annotations

import os
from pathlib import Path


def usable() -> int:
    """Cores that this process may run on: fewer than the machine has inside a container or under taskset."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_ids() -> list[int]:
    """Their numbers, in order; empty where the system binds no processes to cores."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def numa_nodes() -> int:
    """Nodes with memory of their own; 1 where the system does not say. Source: Linux, /sys/devices/system/node."""
    return max(1, len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))))
