"""The energy counters of NVIDIA devices, through the library NVML, which comes with the driver.

Source: NVML API reference: nvmlInit_v2, nvmlDeviceGetCount_v2, nvmlDeviceGetHandleByIndex_v2, nvmlDeviceGetName,
nvmlDeviceGetTotalEnergyConsumption (mJ since the driver was loaded; Volta and later).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
MILLI = 1e3
_NAME_BYTES = 96


def counters(library: Any = None) -> list[tuple[str, Callable[[], float]]]:
    """(name, function that reads the joules so far) of each device with a counter; empty without a driver.
    `library`: NVML; None = it is loaded."""
    if library is None:
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError:
            return []
    count = ctypes.c_uint()
    if library.nvmlInit_v2() or library.nvmlDeviceGetCount_v2(ctypes.byref(count)):
        return []
    found: list[tuple[str, Callable[[], float]]] = []
    for place in range(count.value):
        handle, name = ctypes.c_void_p(), ctypes.create_string_buffer(_NAME_BYTES)
        if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(place), ctypes.byref(handle)):
            continue
        library.nvmlDeviceGetName(handle, name, ctypes.c_uint(_NAME_BYTES))
        read = partial(_joules, library, handle)
        try:
            read()
        except OSError:
            continue
        found.append((f"{name.value.decode(errors='replace') or 'device'} {place}", read))
    return found


def _joules(library: Any, handle: ctypes.c_void_p) -> float:
    """Joules since the driver was loaded. Raises: OSError with NVML's error number."""
    told = ctypes.c_ulonglong()
    if status := library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(told)):
        raise OSError(f"NVML answers {status}")
    return told.value / MILLI
