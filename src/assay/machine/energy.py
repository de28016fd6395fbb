"""Measures the energy of a run with the counters that this machine has: RAPL, hwmon, NVML.

Nothing is estimated. A figure has its window, what it covers, and why it is missing. A counter that cannot be read,
does not change or goes back gives no figure, never a zero. Idle power is not subtracted. Sources: Linux
Documentation/power/powercap/powercap.rst and Documentation/hwmon/sysfs-interface.rst; NVML API,
nvmlDeviceGetTotalEnergyConsumption.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from assay.machine import nvml

SYS = Path("/sys/class")
EVERY_S = 1.0
"""Seconds between two readings of the counters. This is much shorter than the time in which a counter wraps round."""
LEAST_COVERED = 0.98
"""Smallest share of the window that the readings must span: of a minute, all but one second. A choice."""
STILL_S = 2.0
"""A counter that does not change in a window longer than this many seconds gives no figure."""
MICRO = 1e6


class Covers(Enum):
    SYSTEM = "whole system"
    PROCESSOR = "processor"
    MEMORY = "memory"
    ACCELERATOR = "accelerator"


@dataclass(frozen=True)
class EnergyCounter:
    """A counter of energy or power. `read` raises OSError or ValueError when it cannot be read."""

    name: str
    covers: Covers
    read: Callable[[], float]
    """Reads joules since an unknown start, or current watts if `is_power`."""
    wraps_at: float | None = None
    """Joules at which the counter restarts at 0; None = never."""
    is_power: bool = False


@dataclass(frozen=True)
class MeteredPart:
    name: str
    covers: str
    joules: float | None
    why_not: str = ""


@dataclass(frozen=True)
class Metered:
    """The energy of a window. `joules` None = not measured; `why_not` has the reason."""

    joules: float | None
    seconds: float
    """Length of the window."""
    covers: tuple[str, ...] = ()
    """The parts of the machine that `joules` covers."""
    parts: tuple[MeteredPart, ...] = ()
    why_not: str = ""


@dataclass
class _Readings:
    counter: EnergyCounter
    at_ns: list[int] = field(default_factory=list)
    joules: list[float] = field(default_factory=list)
    """Joules since the first reading, one per reading."""
    fault: str = ""
    _last: float = 0.0

    def take(self) -> None:
        """Takes one reading. After a fault it takes no more."""
        if self.fault:
            return
        try:
            value, now = self.counter.read(), time.monotonic_ns()
        except (OSError, ValueError) as error:
            self.fault = f"it could not be read: {error}"
            return
        if not self.at_ns:
            self.at_ns, self.joules, self._last = [now], [0.0], value
            return
        step = self._step(value, (now - self.at_ns[-1]) / 1e9)
        if step < 0:
            self.fault = "it went back"
            return
        self.at_ns.append(now)
        self.joules.append(self.joules[-1] + step)
        self._last = value

    def _step(self, value: float, seconds: float) -> float:
        if self.counter.is_power:
            return (value + self._last) / 2 * seconds
        if value < self._last and self.counter.wraps_at is not None:
            return value + self.counter.wraps_at - self._last
        return value - self._last

    def part(self, begin_ns: int, end_ns: int) -> MeteredPart:
        """The energy in the window, by the readings around its ends."""
        name, covers = self.counter.name, self.counter.covers.value
        if why_not := self.fault or self._gap(begin_ns, end_ns):
            return MeteredPart(name, covers, None, why_not)
        spent = self._at(end_ns) - self._at(begin_ns)
        if spent <= 0 and (end_ns - begin_ns) / 1e9 > STILL_S:
            return MeteredPart(name, covers, None, "it stood still")
        return MeteredPart(name, covers, spent)

    def _gap(self, begin_ns: int, end_ns: int) -> str:
        if len(self.at_ns) < 2 or end_ns <= begin_ns:
            return "it was read too seldom"
        spanned = min(end_ns, self.at_ns[-1]) - max(begin_ns, self.at_ns[0])
        share = spanned / (end_ns - begin_ns)
        return "" if share >= LEAST_COVERED else f"its readings span {100 * max(share, 0):.0f} % of the run"

    def _at(self, when_ns: int) -> float:
        """Joules at a time, interpolated linearly between two readings."""
        at, joules = self.at_ns, self.joules
        after = next((place for place, each in enumerate(at) if each >= when_ns), len(at) - 1)
        if after == 0 or at[after] <= when_ns:
            return joules[after]
        share = (when_ns - at[after - 1]) / (at[after] - at[after - 1])
        return joules[after - 1] + share * (joules[after] - joules[after - 1])


class EnergyMeter:
    """Reads its counters until it is closed. `measured` may be called afterwards, for any window within that time."""

    def __init__(self, counters: Sequence[EnergyCounter], why_none: str = "") -> None:
        self._readings = [_Readings(counter) for counter in counters]
        self._why_none = why_none
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="energy", daemon=True)

    def measured(self, begin_ns: int, end_ns: int) -> Metered:
        """The energy in a window. Its ends are times of time.monotonic_ns."""
        seconds = (end_ns - begin_ns) / 1e9
        if not self._readings:
            return Metered(None, seconds, why_not=self._why_none)
        parts = tuple(each.part(begin_ns, end_ns) for each in self._readings)
        # A counter of the whole system includes the others.
        whole = [part for part in parts if part.covers == Covers.SYSTEM.value and part.joules is not None]
        counted = whole or [part for part in parts if part.covers != Covers.SYSTEM.value]
        missing = [f"{part.name}: {part.why_not}" for part in counted if part.joules is None]
        if missing or not counted:
            told = missing or [f"{part.name}: {part.why_not}" for part in parts]
            return Metered(None, seconds, parts=parts, why_not="; ".join(told))
        covers = tuple(dict.fromkeys(part.covers for part in counted))
        return Metered(sum(part.joules or 0.0 for part in counted), seconds, covers, parts)

    def open(self) -> None:
        for each in self._readings:
            each.take()
        if self._readings:
            self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        if self._readings:
            self._thread.join()
            for each in self._readings:
                each.take()

    def _watch(self) -> None:
        while not self._is_over.wait(EVERY_S):
            for each in self._readings:
                each.take()


@contextmanager
def metered() -> Iterator[EnergyMeter]:
    """Measures with all counters of this machine during the block."""
    found, why_none = counters()
    meter = EnergyMeter(found, why_none)
    meter.open()
    try:
        yield meter
    finally:
        meter.close()


def counters(sys: Path = SYS) -> tuple[list[EnergyCounter], str]:
    """(readable counters, why there is none; empty if there are some)."""
    rapl, refused = _rapl(sys / "powercap")
    found = [*rapl, *_hwmon(sys / "hwmon", bool(rapl))]
    found += [EnergyCounter(name, Covers.ACCELERATOR, read) for name, read in nvml.counters()]
    if found:
        return found, ""
    if refused:
        return [], f"the counters of the processor may not be read: chmod a+r {refused}"
    return [], "this machine lets no energy counter be read: no RAPL, no power sensor, no NVML"


def _rapl(root: Path) -> tuple[list[EnergyCounter], str]:
    """(counters of packages and their memory, a file that may not be read or an empty text). The count of a package
    includes its cores."""
    found, refused = [], ""
    for zone in sorted(root.glob("intel-rapl:*")):
        name = _text(zone / "name")
        is_package, is_memory = name.startswith("package"), name == "dram"
        if not (is_package or is_memory):
            continue
        path, most = zone / "energy_uj", _text(zone / "max_energy_range_uj")
        wraps_at = int(most) / MICRO if most.isdecimal() else None
        parent = zone.name.split(":")[1]
        label = name if is_package else f"dram-{parent}"
        counter = EnergyCounter(
            label, Covers.PROCESSOR if is_package else Covers.MEMORY, _micro(path), wraps_at
        )
        if _can_read(counter):
            found.append(counter)
        else:
            refused = refused or str(path)
    return found, refused


def _hwmon(root: Path, has_rapl: bool) -> list[EnergyCounter]:
    """Counters of hwmon: energy of sockets if RAPL has none; power of the whole system, which is read each second."""
    found = []
    for chip in sorted(root.glob("hwmon*")):
        name = _text(chip / "name")
        for path in sorted(chip.glob("energy*_input")):
            label = _text(path.with_name(path.name.replace("_input", "_label")))
            if not has_rapl and label.startswith("Esocket"):
                found.append(EnergyCounter(f"{name} {label}", Covers.PROCESSOR, _micro(path)))
        if name == "power_meter":  # ACPI 4.0 power meter: input of the power supplies
            paths = [*sorted(chip.glob("power*_average")), *sorted(chip.glob("power*_input"))][:1]
            found += [EnergyCounter(name, Covers.SYSTEM, _micro(path), is_power=True) for path in paths]
    return [counter for counter in found if _can_read(counter)]


def _micro(path: Path) -> Callable[[], float]:
    return lambda: int(path.read_text()) / MICRO


def _can_read(counter: EnergyCounter) -> bool:
    try:
        counter.read()
    except (OSError, ValueError):
        return False
    return True


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return ""
