"""Energy of a run from counters of a machine that is made up: windows, wraps, faults, and never a silent zero."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from assay.machine import energy, nvml
from assay.machine.energy import Covers, EnergyCounter, EnergyMeter

S = 10**9


def zone(root: Path, place: str, name: str, uj: str = "1000000", most: str = "262143328850") -> Path:
    folder = root / "powercap" / f"intel-rapl:{place}"
    folder.mkdir(parents=True)
    for file, text in (("name", name), ("energy_uj", uj), ("max_energy_range_uj", most)):
        (folder / file).write_text(text + "\n")
    return folder


def chip(root: Path, place: int, name: str, **files: str) -> None:
    folder = root / "hwmon" / f"hwmon{place}"
    folder.mkdir(parents=True)
    for file, text in {"name": name, **files}.items():
        (folder / file).write_text(text + "\n")


@pytest.fixture(autouse=True)
def no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "counters", list)


class Clock:
    """Time and counters that go on as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def read(clock: Clock, counter: EnergyCounter, seconds: list[float]) -> energy._Readings:
    readings = energy._Readings(counter)
    for at in seconds:
        clock.now = int(at * S)
        readings.take()
    return readings


def meter_of(*readings: energy._Readings) -> EnergyMeter:
    meter = EnergyMeter([each.counter for each in readings])
    meter._readings = list(readings)
    return meter


def steady(clock: Clock, watts: float, covers: Covers = Covers.PROCESSOR, name: str = "p") -> EnergyCounter:
    return EnergyCounter(name, covers, lambda: watts * clock.now / S)


def test_packages_and_memory_are_read_and_cores_are_not_counted_twice(tmp_path: Path) -> None:
    zone(tmp_path, "0", "package-0", "5000000")
    zone(tmp_path, "0:0", "core")
    zone(tmp_path, "0:1", "dram")
    zone(tmp_path, "1", "package-1")
    zone(tmp_path, "2", "psys")
    found, why_none = energy.counters(tmp_path)
    assert [(each.name, each.covers) for each in found] == [
        ("package-0", Covers.PROCESSOR),
        ("dram-0", Covers.MEMORY),
        ("package-1", Covers.PROCESSOR),
    ]
    assert found[0].read() == 5.0 and found[0].wraps_at == pytest.approx(262143.3)
    assert why_none == ""


def test_sockets_of_hwmon_are_read_where_rapl_tells_none(tmp_path: Path) -> None:
    sockets = {"energy1_input": "1", "energy1_label": "Ecore000", "energy2_input": "2000000"}
    chip(tmp_path, 0, "amd_energy", energy2_label="Esocket0", **sockets)
    chip(tmp_path, 1, "power_meter", power1_average="250000000", power1_input="1")
    chip(tmp_path, 2, "nvme", power1_input="7")
    found, _ = energy.counters(tmp_path)
    assert [each.name for each in found] == ["amd_energy Esocket0", "power_meter"]
    assert [each.read() for each in found] == [2.0, 250.0] and found[1].is_power
    zone(tmp_path, "0", "package-0")
    assert [each.name for each in energy.counters(tmp_path)[0]] == ["package-0", "power_meter"]


def test_a_machine_without_counters_says_so(tmp_path: Path) -> None:
    found, why_none = energy.counters(tmp_path)
    assert found == [] and "no RAPL, no power sensor, no NVML" in why_none
    told = EnergyMeter(found, why_none).measured(0, 5 * S)
    assert (told.joules, told.seconds, told.why_not) == (None, 5.0, why_none)


def test_a_counter_that_holds_no_number_is_not_there(tmp_path: Path) -> None:
    zone(tmp_path, "0", "package-0", "x")
    found, why_none = energy.counters(tmp_path)
    assert found == [] and "intel-rapl:0/energy_uj" in why_none


def test_joules_are_those_of_the_window_between_two_readings(clock: Clock) -> None:
    told = meter_of(read(clock, steady(clock, 50.0), [0, 1, 2, 3, 4])).measured(int(0.5 * S), int(3.25 * S))
    assert told.joules == pytest.approx(50 * 2.75) and told.seconds == 2.75
    assert told.covers == ("processor",) and told.why_not == ""


def test_parts_are_added_and_a_meter_of_the_whole_system_has_them_in_it(clock: Clock) -> None:
    parts = [
        read(clock, steady(clock, watts, covers, name), [0, 10])
        for watts, covers, name in (
            (100, Covers.PROCESSOR, "a"),
            (20, Covers.MEMORY, "b"),
            (300, Covers.ACCELERATOR, "c"),
        )
    ]
    assert meter_of(*parts).measured(0, 10 * S).joules == pytest.approx(4200)
    power = EnergyCounter("meter", Covers.SYSTEM, lambda: 500.0, is_power=True)
    whole = meter_of(*parts, read(clock, power, [0, 5, 10])).measured(0, 10 * S)
    assert whole.joules == pytest.approx(5000) and whole.covers == ("whole system",)
    assert len(whole.parts) == 4


def test_a_counter_that_wraps_round_goes_on(clock: Clock) -> None:
    counter = EnergyCounter("p", Covers.PROCESSOR, lambda: (90 + 30 * clock.now / S) % 100, wraps_at=100.0)
    assert meter_of(read(clock, counter, [0, 1, 2, 3, 4])).measured(0, 4 * S).joules == pytest.approx(120)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([5.0, 4.0, 9.0], "it went back"),
        ([5.0, 5.0, 5.0], "it stood still"),
        ([5.0, None, 9.0], "it could not be read"),
        ([5.0], "it was read too seldom"),
    ],
)
def test_a_counter_that_is_of_no_use_makes_no_figure_and_no_zero(
    clock: Clock, values: list[float | None], said: str
) -> None:
    left = iter(values)

    def told() -> float:
        value = next(left)
        if value is None:
            raise OSError("gone")
        return value

    counter = EnergyCounter("p", Covers.PROCESSOR, told)
    readings = read(clock, counter, [2.5 * n for n in range(len(values))])
    other = read(clock, steady(clock, 10.0, name="q"), [0, 5])
    found = meter_of(readings, other).measured(0, 5 * S)
    assert found.joules is None and found.why_not.startswith(f"p: {said}")
    assert found.parts[1].joules == pytest.approx(50)


def test_readings_must_span_the_window(clock: Clock) -> None:
    readings = read(clock, steady(clock, 10.0), [2, 5])
    assert meter_of(readings).measured(0, 5 * S).why_not == "p: its readings span 60 % of the run"
    assert meter_of(readings).measured(2 * S, 5 * S).joules == pytest.approx(30)


def test_a_meter_reads_while_its_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = time.monotonic_ns()
    counter = EnergyCounter("p", Covers.PROCESSOR, lambda: (time.monotonic_ns() - begun) / S)
    monkeypatch.setattr(energy, "counters", lambda: ([counter], ""))
    monkeypatch.setattr(energy, "EVERY_S", 0.01)
    with energy.metered() as meter:
        start = time.monotonic_ns()
        time.sleep(0.05)
        end = time.monotonic_ns()
    found = meter.measured(start, end)
    assert found.joules == pytest.approx((end - start) / S, rel=0.2)
