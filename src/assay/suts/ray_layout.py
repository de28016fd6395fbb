"""How many replicas, and what each is given of processors and GPUs. Pure.

Ray counts resources in ten-thousandths.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from assay.config import Device, OptionValue
from assay.ground.errors import ConfigError
from assay.suts.ray import AUTO


class MachineRoom(Protocol):
    """What a machine of the cluster has."""

    @property
    def name(self) -> str: ...

    @property
    def cpus(self) -> float: ...

    @property
    def gpus(self) -> float: ...


@dataclass(frozen=True)
class ReplicaLayout:
    replicas: int
    cpus: float
    """Of each replica."""
    gpus: float = 0.0

    @property
    def bundle(self) -> dict[str, float]:
        """What Ray is asked for each."""
        return {"CPU": self.cpus, "GPU": self.gpus} if self.gpus else {"CPU": self.cpus}

    def cores_of(self, place: int) -> tuple[int, int]:
        """The first core, and how many, of a machine's replica number `place`, from 0: parts of a core are shared."""
        first = math.floor(place * self.cpus + 1e-3)
        return first, max(1, math.ceil((place + 1) * self.cpus - 1e-3) - first)

    @property
    def words(self) -> str:
        said = f"{self.replicas} x {self.cpus:g} CPU"
        return f"{said} and {self.gpus:g} GPU" if self.gpus else said


def gpus_of(options: Mapping[str, OptionValue | None], device: Device) -> float:
    """GPUs of each replica."""
    asked = options["gpus_per_replica"]
    return float(asked) if isinstance(asked, (int, float)) else float(device is Device.CUDA)


def asked(
    options: Mapping[str, OptionValue | None], device: Device, nodes: Sequence[MachineRoom]
) -> ReplicaLayout:
    """The layout for these machines. Raises: ConfigError for one that they have no room for."""
    gpus, cpus = gpus_of(options, device), options["cpus_per_replica"]
    wanted = None if options["replicas"] == AUTO else int(str(options["replicas"]))
    if wanted is None:
        wanted = _most(nodes, float(cpus) if isinstance(cpus, (int, float)) else None, gpus)
    each = float(cpus) if isinstance(cpus, (int, float)) else _share(nodes, wanted, gpus)
    found = ReplicaLayout(wanted, each, gpus)
    if not wanted or _most(nodes, each, gpus) < wanted:
        have = "; ".join(f"{node.name}: {node.cpus:g} CPU, {node.gpus:g} GPU" for node in nodes)
        raise ConfigError(
            f"there is no room for {found.words if wanted else f'a replica of {each:g} CPU and {gpus:g} GPU'} ({have})",
            "fewer --replicas, or a smaller --cpus-per-replica or --gpus-per-replica",
        )
    return found


def candidates(cores: int, numa_nodes: int) -> list[ReplicaLayout]:
    """What is tried on one machine, one process first: powers of two, one for each NUMA node and each core."""
    counts = {1, numa_nodes, cores, *(1 << power for power in range(cores.bit_length()))}
    return [ReplicaLayout(count, _floor(cores / count)) for count in sorted(counts) if 1 <= count <= cores]


def _most(nodes: Sequence[MachineRoom], cpus: float | None, gpus: float) -> int:
    """How many have room; without a share of processors one for each machine, or for each of its GPUs."""
    if cpus is None:
        return sum(math.floor(node.gpus / gpus + 1e-3) for node in nodes) if gpus else len(nodes)
    return sum(_fitting(node, cpus, gpus) for node in nodes)


def _fitting(node: MachineRoom, cpus: float, gpus: float) -> int:
    by_cpus = math.floor(node.cpus / cpus + 1e-3)
    return min(by_cpus, math.floor(node.gpus / gpus + 1e-3)) if gpus else by_cpus


def _share(nodes: Sequence[MachineRoom], replicas: int, gpus: float) -> float:
    """The most processors of each with which so many have room."""
    shares = {
        _floor(node.cpus / count) for node in nodes for count in range(1, max(replicas, 1) + 1) if node.cpus
    }
    fitting = [share for share in shares if share > 0 and _most(nodes, share, gpus) >= replicas]
    return max(fitting, default=1.0)


def _floor(cpus: float) -> float:
    return math.floor(cpus * 1e4) / 1e4
