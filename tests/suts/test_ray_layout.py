from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from assay.config import Device
from assay.ground.errors import ConfigError
from assay.suts import ray_layout
from assay.suts.ray import KIND
from assay.suts.ray_layout import ReplicaLayout


@dataclass(frozen=True)
class Machine:
    name: str
    cpus: float
    gpus: float = 0.0


def asked(nodes: list[Machine], device: Device = Device.CPU, **options: Any) -> ReplicaLayout:
    return ray_layout.asked(KIND.values(options), device, nodes)


@pytest.mark.parametrize(
    ("options", "layout"),
    [
        ({"replicas": "2"}, ReplicaLayout(2, 1.0)),
        ({"replicas": "4"}, ReplicaLayout(4, 0.5)),
        ({"replicas": "3"}, ReplicaLayout(3, 0.6666)),
        ({"replicas": "2", "cpus_per_replica": 0.5}, ReplicaLayout(2, 0.5)),
        ({"cpus_per_replica": 1}, ReplicaLayout(2, 1.0)),
        ({}, ReplicaLayout(1, 2.0)),
    ],
)
def test_one_machine_is_shared_out(options: dict[str, Any], layout: ReplicaLayout) -> None:
    assert asked([Machine("here", 2)], **options) == layout


def test_a_cluster_gives_each_machine_a_replica_and_more_where_more_are_asked() -> None:
    machines = [Machine(f"m{n}", 8) for n in range(3)]
    assert asked(machines) == ReplicaLayout(3, 8.0)
    assert asked(machines, replicas="4") == ReplicaLayout(4, 4.0)
    assert asked([Machine("small", 2), Machine("large", 16)], replicas="3") == ReplicaLayout(3, 5.3333)


def test_gpus_decide_how_many_there_are() -> None:
    machines = [Machine("m0", 16, 4), Machine("m1", 16, 2)]
    assert asked(machines, Device.CUDA) == ReplicaLayout(6, 4.0, 1.0)
    assert asked(machines, Device.CUDA, gpus_per_replica=2).replicas == 3
    assert asked(machines, Device.CUDA).bundle == {"CPU": 4.0, "GPU": 1.0}


@pytest.mark.parametrize(
    ("machine", "device", "options", "said"),
    [
        (Machine("here", 2), Device.CPU, {"replicas": "3", "cpus_per_replica": 1}, "no room for 3 x 1 CPU"),
        (Machine("here", 2), Device.CUDA, {}, "no room for a replica of 2 CPU and 1 GPU"),
        (Machine("here", 2, 1), Device.CUDA, {"replicas": "2"}, r"no room for 2 x .*here: 2 CPU, 1 GPU"),
    ],
)
def test_what_has_no_room_is_refused_with_what_there_is(
    machine: Machine, device: Device, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        asked([machine], device, **options)


def test_replicas_of_a_machine_have_cores_of_their_own_or_share_one() -> None:
    assert [ReplicaLayout(2, 4.0).cores_of(place) for place in range(2)] == [(0, 4), (4, 4)]
    assert [ReplicaLayout(4, 0.5).cores_of(place) for place in range(4)] == [(0, 1), (0, 1), (1, 1), (1, 1)]
    assert [ReplicaLayout(3, 0.6666).cores_of(place) for place in range(3)] == [(0, 1), (0, 2), (1, 1)]


def test_one_process_is_tried_first_then_ever_smaller_parts() -> None:
    assert [layout.replicas for layout in ray_layout.candidates(12, 3)] == [1, 2, 3, 4, 8, 12]
    assert ray_layout.candidates(2, 1) == [ReplicaLayout(1, 2.0), ReplicaLayout(2, 1.0)]
    assert ray_layout.candidates(1, 1) == [ReplicaLayout(1, 1.0)]
