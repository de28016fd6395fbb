from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assay import suts
from assay.config import Device, Precision
from assay.ground import cores
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.planner import SutWork
from assay.mlperf.workloads.workload import Generation
from assay.suts import echo, ray_plan


def work(**options: Any) -> SutWork:
    kind = suts.asked("ray", {"of": "echo"})
    spec = SutSpec(
        "ray",
        None,
        Device.CPU,
        Precision.FLOAT32,
        None,
        Generation(1, 2, 2),
        False,
        kind.values({"of": "echo", **options}),
    )
    return SutWork(
        spec, "toy", [Sample(0, "t.0", "", "", (1,), "", (2, 3), ())], tokens=[2], longest_answer=2
    )


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 2)
    monkeypatch.setattr(ray_plan, "has_ray", lambda: True)


def test_memory_is_that_of_all_replicas_of_this_machine() -> None:
    one, four = (ray_plan.ram_bytes(work(replicas=count)) for count in ("1", "4"))
    assert one == ray_plan.RAY_BYTES + ray_plan.ACTOR_BYTES + echo.RAM_BYTES
    assert four is not None and four - one == 3 * (ray_plan.ACTOR_BYTES + echo.RAM_BYTES)
    assert ray_plan.ram_bytes(work(replicas="4", ray_address="head:6379")) == one


def test_seconds_are_not_known_of_a_cluster() -> None:
    found = ray_plan.seconds(work(replicas="2"))
    assert found is not None and found.start_s == ray_plan.START_S
    assert ray_plan.seconds(work(ray_address="head:6379")) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"replicas": "2"}, "a replica takes 18.0 MB, and 2 of them run on this machine"),
        ({"ray_address": "auto"}, "one on each machine of the cluster"),
        ({"ray_address": "auto", "replicas": "9"}, "9 are spread over the machines of the cluster"),
    ],
)
def test_the_plan_says_where_replicas_are(options: dict[str, Any], said: str) -> None:
    assert said in ray_plan.examine(work(**options)).notes[-1]


def test_what_is_in_the_way_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no room for 3 x 1 CPU"):
        ray_plan.examine(work(replicas="3", cpus_per_replica=1))
    engine = replace(work().spec, options=suts.asked("ray", {}).values({"replicas": "1"}))
    assert (
        ray_plan.examine(replace(work(), spec=engine))
        .notes[-1]
        .startswith("memory of a replica is not known")
    )
    monkeypatch.setattr(ray_plan, "has_ray", lambda: False)
    with pytest.raises(EnvironmentProblem, match=r"needs ray"):
        ray_plan.examine(work())
