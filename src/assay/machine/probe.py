"""The system description, probed: each field with its value and source.

Field names are those of a submission's systems/*.json. A value that this machine does not report is None: the
submitter must supply it. It runs no model and needs no privileges.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "transformers", "numpy", "tokenizers", "rouge-score-rs")
ACCELERATOR_FIELDS = (
    "accelerator_model_name",
    "accelerator_memory_capacity",
    "accelerator_memory_configuration",
    "accelerator_frequency",
    "accelerator_host_interconnect",
    "accelerator_interconnect",
    "accelerator_interconnect_topology",
    "accelerator_on-chip_memories",
)
GIB = 2**30


@dataclass(frozen=True)
class Probed:
    """One field. `value` None = this machine does not report it."""

    value: str | None
    source: str


def describe() -> dict[str, dict[str, str | None]]:
    """field -> {value, source}, as plain JSON for a RunResult."""
    return {name: asdict(field) for name, field in fields().items()}


def fields() -> dict[str, Probed]:
    """All probed fields. Fields of the host that cannot be probed have the value None."""
    return {**_host(), **_memory_and_storage(), **accelerators(), **_software()}


def _host() -> dict[str, Probed]:
    import psutil

    cpu = _lscpu()
    sockets, cores = cpu.get("Socket(s)"), cpu.get("Core(s) per socket")
    threads = cpu.get("Thread(s) per core")
    caches = [f"{name} {cpu[name]}" for name in ("L1d", "L1i", "L2", "L3") if name in cpu]
    frequency = psutil.cpu_freq()
    return {
        "host_processor_model_name": _found(cpu.get("Model name"), "lscpu", platform.processor()),
        "host_processors_per_node": _found(sockets, "lscpu"),
        "host_processor_core_count": _found(
            cores, "lscpu: cores per socket", str(psutil.cpu_count(False) or "")
        ),
        "host_processor_threads": Probed(str(psutil.cpu_count()), f"psutil; {threads or '?'} per core"),
        "host_processor_caches": _found(", ".join(caches), "lscpu"),
        "host_processor_frequency": _found(
            f"{frequency.max or frequency.current:.0f} MHz" if frequency else None, "psutil.cpu_freq"
        ),
        "host_processor_features": _found(_vector_features(cpu.get("Flags", "")), "lscpu flags"),
        "host_processor_interconnect": Probed(None, "not probed"),
        "number_of_nodes": Probed("1", "this machine alone was used"),
    }


def _memory_and_storage() -> dict[str, Probed]:
    import psutil

    disk = shutil.disk_usage(Path.cwd())
    return {
        "host_memory_capacity": Probed(f"{psutil.virtual_memory().total / GIB:.0f} GiB", "psutil"),
        "host_memory_configuration": Probed(None, "needs dmidecode as root"),
        "host_storage_capacity": Probed(
            f"{disk.total / GIB:.0f} GiB", "the file system of the working folder"
        ),
        "host_storage_type": _found(_storage_type(), "/sys/block: rotational"),
        "host_network_card_count": _found(_network_cards(), "/sys/class/net: interfaces with a device"),
        "host_networking": Probed(None, "not probed"),
        "host_networking_topology": Probed(None, "not probed"),
    }


def accelerators() -> dict[str, Probed]:
    """The fields of NVIDIA devices, read with nvidia-smi, which comes with the driver."""
    listed = _output(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    names = [line.split(",") for line in listed.splitlines() if "," in line]
    if not names:
        none = {name: Probed("N/A", "no accelerator") for name in ACCELERATOR_FIELDS}
        return {"accelerators_per_node": Probed("0", "nvidia-smi: no device"), **none}
    return {
        "accelerators_per_node": Probed(str(len(names)), "nvidia-smi"),
        "accelerator_model_name": Probed(names[0][0].strip(), "nvidia-smi"),
        "accelerator_memory_capacity": Probed(names[0][1].strip(), "nvidia-smi"),
    }


def _software() -> dict[str, Probed]:
    versions = {name: _version(name) for name in PACKAGES}
    installed = ", ".join(f"{name} {found}" for name, found in versions.items() if found)
    return {
        "operating_system": _found(_os_release(), "/etc/os-release", platform.system()),
        "kernel": Probed(platform.platform(), "platform.platform"),
        "python": Probed(platform.python_version(), "platform.python_version"),
        "other_software_stack": Probed(installed, "installed packages"),
    }


def _found(value: str | None, source: str, otherwise: str | None = None) -> Probed:
    if value:
        return Probed(value, source)
    return Probed(otherwise or None, "platform" if otherwise else f"{source}: not told")


def _output(command: list[str]) -> str:
    """The output of a tool; empty when it is missing, fails or takes more than 10 s."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _lscpu() -> dict[str, str]:
    """The fields of lscpu in one flat dictionary. Newer versions nest them."""
    try:
        tree = json.loads(_output(["lscpu", "-J"]) or "{}")
    except ValueError:
        return {}
    flat: dict[str, str] = {}
    _flatten(tree.get("lscpu", []), flat)
    return flat


def _flatten(entries: list[dict[str, Any]], into: dict[str, str]) -> None:
    for entry in entries:
        name = str(entry.get("field", "")).rstrip(":").removesuffix(" cache")
        into.setdefault(name, str(entry.get("data") or ""))
        _flatten(entry.get("children", []), into)


def _vector_features(flags: str) -> str:
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "sve")
    present = flags.split()
    return " ".join(flag for flag in wanted if flag in present)


def _storage_type() -> str:
    kinds = set()
    for path in Path("/sys/block").glob("*/queue/rotational"):
        name = path.parent.parent.name
        if not name.startswith(("loop", "ram", "zram")):
            kinds.add("HDD" if path.read_text().strip() == "1" else "SSD")
    return "+".join(sorted(kinds))


def _network_cards() -> str:
    cards = [path for path in Path("/sys/class/net").glob("*") if (path / "device").exists()]
    return str(len(cards)) if cards else ""


def _os_release() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
