"""Where accelerate puts the parts of a model: what was asked for, and what it did. No tensors here."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config import Device, OptionValue
from assay.ground import extras, parsed
from assay.ground.errors import ConfigError

KINDS = ("auto", "balanced", "balanced_low_0", "sequential")
"""Source: accelerate, "Handling big models for inference"."""
SLOW = ("cpu", "disk")
"""Devices that compute nothing while a GPU does: their weights are copied to it, layer by layer."""
GIB = 1 << 30
Place = str | int


@dataclass(frozen=True)
class DeviceMap:
    """A device map as accelerate takes it."""

    devices: str | Mapping[str, Place]
    """One of KINDS, or a device for each module."""
    max_bytes: Mapping[Place, int]
    """Largest size of the weights on each device; empty = all free memory."""

    @property
    def may_use_disk(self) -> bool:
        """Whether a folder for weights on disk is needed. With limits, accelerate may put weights there."""
        return isinstance(self.devices, str) or "disk" in self.devices.values()


def asked(options: Mapping[str, OptionValue | None], device: Device, gpus: int) -> DeviceMap | None:
    """None = the whole model on one device. Raises: ConfigError for a map that cannot be read."""
    name, limits = options["device_map"], (options["gpu_memory_gib"], options["cpu_memory_gib"])
    if name is None and limits == (None, None) and not (device is Device.CUDA and gpus > 1):
        return None
    text = "auto" if name is None else str(name)
    of_gpu, of_cpu = limits
    bytes_of: dict[Place, int] = {}
    if isinstance(of_gpu, float):
        bytes_of |= dict.fromkeys(range(gpus), int(of_gpu * GIB))
    if isinstance(of_cpu, float):
        bytes_of["cpu"] = int(of_cpu * GIB)
    return DeviceMap(text if text in KINDS else _read(Path(text)), bytes_of)


def arguments(wanted: DeviceMap, free: Mapping[Place, int], offload: Path | None) -> dict[str, Any]:
    """Arguments for transformers' `from_pretrained`. `free`: usable bytes of each device. Raises: EnvironmentProblem
    without accelerate."""
    if importlib.util.find_spec("accelerate") is None:
        raise extras.problem("accelerate")
    return {
        "device_map": wanted.devices if isinstance(wanted.devices, str) else dict(wanted.devices),
        "max_memory": {**free, **wanted.max_bytes},
        **({"offload_folder": str(offload)} if offload else {}),
    }


def _read(path: Path) -> dict[str, Place]:
    try:
        found = parsed.json_value(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--device-map {path}: {error}", f"{', '.join(KINDS)}, or a JSON file {{module: device}}"
        ) from error
    if not isinstance(found, dict) or not found or not all(_is_place(place) for place in found.values()):
        raise ConfigError(
            f"{path} is no map of modules to devices",
            json.dumps({"model.embed_tokens": 0, "model.layers.0": 0, "lm_head": "cpu"}),
        )
    return found


def _is_place(place: object) -> bool:
    return isinstance(place, str) or (isinstance(place, int) and not isinstance(place, bool))


def main_device(placed: Mapping[str, Place]) -> str:
    """The device that takes the prompts: the first one that computes."""
    return next((_name(place) for place in placed.values() if place not in SLOW), "cpu")


def shares(placed: Mapping[str, Place], parameters: Iterable[tuple[str, int, int]]) -> dict[str, Any]:
    """{device: parameters and bytes on it}. `parameters`: name, elements and bytes of each tensor."""
    found: dict[str, dict[str, int]] = {}
    for name, count, size in parameters:
        row = found.setdefault(_name(_of(name, placed)), {"parameters": 0, "bytes": 0})
        row["parameters"] += count
        row["bytes"] += size
    return found


def words(devices: Mapping[str, Any]) -> str:
    """The share of the weights on each device, as `cuda:0 62 %, cpu 38 %`."""
    whole = sum(row["bytes"] for row in devices.values()) or 1
    return ", ".join(f"{name} {row['bytes'] / whole:.0%}" for name, row in devices.items())


def _of(name: str, placed: Mapping[str, Place]) -> Place:
    """The device of the longest module that the tensor is in."""
    inside = [module for module in placed if not module or name == module or name.startswith(f"{module}.")]
    return placed[max(inside, key=len)] if inside else "cpu"


def _name(place: Place) -> str:
    return f"cuda:{place}" if isinstance(place, int) else place
