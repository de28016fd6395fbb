"""Looks for disturbances of a timing on this machine: load, other busy processes, the frequency governor.

Reads /proc and /sys, partly with psutil. Changes nothing.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
WATCH_S = 0.3
"""Seconds in which the processor time of other processes is counted. A choice."""
BUSY_PERCENT = 10.0
"""A process disturbs a measurement from this share of one core, in percent. A choice."""
LOAD_QUIET = 0.25
"""A machine counts as quiet up to this load per core. A choice."""


@dataclass(frozen=True)
class Busy:
    """Another process that uses CPU time."""

    pid: int
    name: str
    percent: float
    """Percent of one core."""


@dataclass(frozen=True)
class QuietCheck:
    load: float | None
    """Load average of the last minute; None when the system has none."""
    cores: int
    governor: str | None
    """The frequency governor; None when the kernel does not show it, as in most virtual machines."""
    busy: tuple[Busy, ...]
    """Other busy processes, the busiest first."""

    @property
    def disturbances(self) -> tuple[str, ...]:
        """A phrase for each disturbance; empty for a machine that is quiet enough for timing."""
        found = []
        if self.load is not None and self.load > LOAD_QUIET * self.cores:
            found.append(f"load {self.load:.1f} on {self.cores} cores")
        if self.governor not in (None, "performance"):
            found.append(f"frequency governor {self.governor}, not performance")
        found += [f"process {b.pid} ({b.name}) takes {b.percent:.0f} % of a core" for b in self.busy]
        return tuple(found)


def look(watch_s: float = WATCH_S) -> QuietCheck:
    """Watches the machine for `watch_s` seconds."""
    return QuietCheck(_load(), psutil.cpu_count() or 1, _governor(), _busy(watch_s))


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _governor() -> str | None:
    try:
        return GOVERNOR.read_text(encoding="ascii").strip()
    except OSError:
        return None


def _busy(watch_s: float) -> tuple[Busy, ...]:
    before = _cpu_seconds()
    began = time.monotonic()
    time.sleep(watch_s)
    seconds = time.monotonic() - began
    found = [
        Busy(pid, name, 100 * (used - before[pid][1]) / seconds)
        for pid, (name, used) in _cpu_seconds().items()
        if pid in before and pid != os.getpid()
    ]
    return tuple(sorted((b for b in found if b.percent >= BUSY_PERCENT), key=lambda b: -b.percent))


def _cpu_seconds() -> dict[int, tuple[str, float]]:
    seconds = {}
    for process in psutil.process_iter(["pid", "name", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            seconds[process.info["pid"]] = (str(process.info["name"]), times.user + times.system)
    return seconds
