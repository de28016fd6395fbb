"""NVML through a library that is made up."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from assay.machine import nvml


class Library:
    """Two devices: one counts, one is too old."""

    def __init__(self, init: int = 0) -> None:
        self.init, self.millijoules, self.status = init, 5_000, 0

    def nvmlInit_v2(self) -> int:
        return self.init

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, place: Any, handle: Any) -> int:
        handle._obj.value = place.value + 1
        return 0

    def nvmlDeviceGetName(self, handle: Any, name: Any, size: Any) -> int:
        name.value = b"NVIDIA H200"
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: ctypes.c_void_p, told: Any) -> int:
        told._obj.value = self.millijoules
        return 3 if handle.value == 2 else self.status


def test_devices_that_count_are_read_in_joules() -> None:
    library = Library()
    ((name, read),) = nvml.counters(library)
    assert (name, read()) == ("NVIDIA H200 0", 5.0)
    library.millijoules = 7_500
    assert read() == 7.5
    library.status = 15
    with pytest.raises(OSError, match="NVML answers 15"):
        read()


def test_no_driver_is_no_device() -> None:
    assert nvml.counters(Library(init=9)) == []
