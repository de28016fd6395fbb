"""What replicas come to before one is loaded: the hosted SUT's own plan, for each replica and for a machine of them.

The plan asks no cluster: it speaks of this machine, and of how many replicas each machine of a cluster will hold.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace

from assay import suts
from assay.ground import cores, extras
from assay.ground.count import size_text
from assay.mlperf.sut.planner import Examined, SutPlanner, SutSeconds, SutWork
from assay.suts import ray_layout
from assay.suts.ray import AUTO, KIND, hosted

RAY_BYTES = 750_000_000
"""Anonymous memory of Ray's own processes on a machine. Source: measured, Ray 2.60 without a dashboard."""
ACTOR_BYTES = 110_000_000
"""Of the actor beside each replica. Source: as above."""
START_S = 15.0
"""Of a cluster of our own, and of the actors. Source: as above, 2 cores."""


@dataclass(frozen=True)
class ThisMachine:
    name: str
    cpus: float
    gpus: float = 0.0


def examine(work: SutWork) -> Examined:
    """What is in the way of one replica is in the way of all. Raises: as the planner of the hosted SUT; ConfigError for
    more replicas than this machine has room for."""
    if not has_ray():
        raise extras.problem("ray")
    inner = _of_each(work)
    planner = suts.kind(inner.spec.kind).load_planner()
    found = planner.examine(inner) if planner else Examined()
    return replace(found, notes=(*found.notes, _words(work, planner, inner)))


def ram_bytes(work: SutWork) -> int | None:
    """Of this machine: all replicas of a cluster of our own; one of a cluster that runs elsewhere as well."""
    inner = _of_each(work)
    planner = suts.kind(inner.spec.kind).load_planner()
    each = planner.ram_bytes(inner) if planner else None
    return None if each is None else RAY_BYTES + _here(work) * (each + ACTOR_BYTES)


def seconds(work: SutWork) -> SutSeconds | None:
    """As one process with all processors of this machine would take; a cluster is not known before it is asked."""
    own = KIND.values(hosted(work.spec)[1])
    inner = _of_each(work)
    planner = suts.kind(inner.spec.kind).load_planner()
    found = planner.seconds(inner) if planner and own["ray_address"] is None else None
    return None if found is None else replace(found, start_s=found.start_s + START_S)


def has_ray() -> bool:
    return importlib.util.find_spec("ray") is not None


def _of_each(work: SutWork) -> SutWork:
    return replace(work, spec=hosted(work.spec)[0])


def _here(work: SutWork) -> int:
    """Replicas on this machine, as far as it is known. Raises: ConfigError when there is no room for so many."""
    own = KIND.values(hosted(work.spec)[1])
    if own["ray_address"] is not None or own["replicas"] == AUTO:
        return 1
    if ray_layout.gpus_of(own, work.spec.device):
        return int(str(own["replicas"]))
    return ray_layout.asked(own, work.spec.device, [ThisMachine("this machine", cores.usable())]).replicas


def _words(work: SutWork, planner: SutPlanner | None, inner: SutWork) -> str:
    own = KIND.values(hosted(work.spec)[1])
    has_model = bool(work.model_config) or not suts.kind(inner.spec.kind).needs_checkpoint
    each = planner.ram_bytes(inner) if planner and has_model and work.samples else None
    needs = "memory of a replica is not known" if each is None else f"a replica takes {size_text(each)}"
    if own["ray_address"] is None:
        return f"{needs}, and {_here(work)} of them run on this machine"
    many = (
        "one on each machine"
        if own["replicas"] == AUTO
        else f"{own['replicas']} are spread over the machines"
    )
    return (
        f"{needs}, {many} of the cluster; each machine reads the whole checkpoint from its own disk, "
        "which takes it as long as loading does here"
    )
