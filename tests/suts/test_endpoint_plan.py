from __future__ import annotations

import pytest

from assay.config import Device, Precision
from assay.endpoint.client import ClientLimits
from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.planner import SutWork
from assay.mlperf.workloads.workload import Generation
from assay.suts import endpoint_plan
from assay.suts.endpoint import KIND
from assay.suts.endpoint_faults import Faults
from assay.suts.endpoint_http import TIMEOUT_S


def work(**options: object) -> SutWork:
    rules = Generation(2, 4, 2)
    spec = SutSpec("endpoint", None, Device.CPU, Precision.FLOAT32, None, rules, True, options)  # type: ignore[arg-type]
    return SutWork(spec, "w", ())


def test_a_server_that_does_not_answer_is_in_the_way_of_a_plan() -> None:
    with pytest.raises(EnvironmentProblem, match="no server answers"):
        endpoint_plan.examine(work(url=("http://127.0.0.1:9",)))
    with pytest.raises(ConfigError, match="no server is named"):
        endpoint_plan.examine(work())
    assert TIMEOUT_S <= 10


def test_no_answer_is_asked_for_twice_unless_wanted() -> None:
    assert KIND.values({})["retries"] == ClientLimits().retries == 0


def test_faults_are_counted_by_kind_the_most_frequent_first() -> None:
    faults = Faults(answers=5)
    for kind in (FailureKind.CUT, FailureKind.STALL, FailureKind.STALL):
        faults.add(EndpointFailure(kind, "why"))
    assert [said[:1] for said in faults.sentences()] == ["2", "1"]
