"""How many replicas there are, and that a cluster does not outlive a SUT that could not be built. No Ray is started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assay.config import Device, Precision
from assay.ground.errors import ConfigError
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.suts import ray_auto, ray_sut
from assay.suts.ray_cluster import Node
from assay.suts.ray_layout import ReplicaLayout
from tests.suts.test_ray_replicas import Sink


class Cluster:
    def __init__(self, address: str | None) -> None:
        self.is_own, self.is_closed = address is None, False
        clusters.append(self)

    def nodes(self) -> list[Node]:
        return [Node("id", "here", "127.0.0.1", 4.0, 0.0)]

    def watch(self, tell: Any) -> None:
        """Nobody dies here."""

    def close(self) -> None:
        self.is_closed = True


clusters: list[Cluster] = []
layouts: list[ReplicaLayout] = []


@pytest.fixture(autouse=True)
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(cluster: Any, layout: ReplicaLayout, *rest: Any) -> Any:
        layouts.append(layout)
        return SimpleNamespace(load=lambda samples: None, break_off=None)

    clusters.clear()
    layouts.clear()
    monkeypatch.setattr(ray_sut, "Cluster", Cluster)
    monkeypatch.setattr(ray_sut, "RaySut", made)


def built(**options: Any) -> None:
    asked = {"of": "echo", **options}
    spec = SutSpec("ray", None, Device.CPU, Precision.FLOAT32, None, Generation(1, 2, 2), True, asked)
    ray_sut.build(spec, [], Sink())  # type: ignore[arg-type]


def test_the_replicas_asked_for_share_the_processors_of_the_machine() -> None:
    built(replicas="2")
    assert layouts == [ReplicaLayout(2, 2.0)]


def test_without_any_number_each_layout_is_measured_and_the_best_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trials(tried: Any, load: Any, *rest: Any) -> list[ray_auto.Trial]:
        return [ray_auto.Trial(layout, layout.replicas % 4) for layout in tried]

    monkeypatch.setattr(ray_auto, "trials", trials)
    built()
    assert layouts == [ReplicaLayout(2, 2.0)]


def test_a_cluster_elsewhere_is_not_measured() -> None:
    built(ray_address="10.0.0.1:6379")
    assert layouts == [ReplicaLayout(1, 4.0)]


def test_a_cluster_is_closed_when_the_replicas_have_no_room() -> None:
    with pytest.raises(ConfigError, match="there is no room"):
        built(replicas="9", cpus_per_replica=1.0)
    assert [cluster.is_closed for cluster in clusters] == [True]
