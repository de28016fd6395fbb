"""A replica without Ray: what its actor would be asked, asked of it directly."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest

from assay.config import Device, Precision
from assay.ground import cores
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.sut.message import Failure
from assay.mlperf.workloads.workload import Generation
from assay.suts.ray_replica import Heard, Replica, Setup

SAMPLES = [Sample(n, f"t.{n}", "", "", (1, 50), "", (10 + n, 11, 12)[: 2 + n % 2], ()) for n in range(4)]


def setup(count: int = 1, **options: object) -> Setup:
    rules = Generation(1, 8, 2)
    spec = SutSpec("echo", None, Device.CPU, Precision.FLOAT32, None, rules, True, options)  # type: ignore[arg-type]
    return Setup("assay.suts.echo", spec, 0, count)


@pytest.fixture
def replica() -> Iterator[Replica]:
    bound = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    made = Replica("replica 0")
    yield made
    made.close()
    if bound is not None:
        os.sched_setaffinity(0, bound)
    os.unsetenv("OMP_NUM_THREADS")


def heard_until(replica: Replica, answers: int) -> list[Heard]:
    found: list[Heard] = []
    end = time.monotonic() + 20
    while sum(len(each.numbers) for each in found) < answers and time.monotonic() < end:
        found.append(replica.hear(0.2))
    return found


def test_it_answers_by_the_numbers_that_it_was_given(replica: Replica) -> None:
    used = replica.load(setup(), SAMPLES)
    assert isinstance(used, Used) and used.sut == "echo"
    replica.issue(np.array([1000, 1001], np.int64), np.array([1, 2], np.int32))
    found = heard_until(replica, 2)
    assert [n for each in found for n in each.numbers.tolist()] == [1000, 1001]
    assert [n for each in found for n in each.counts.tolist()] == [3, 2]
    assert [n for each in found for n in each.tokens.tolist()] == [11, 11, 12, 12, 11]
    assert [n for each in found for n in each.first_tokens.tolist()] == [11, 12]
    assert [each.turn for each in found] == list(range(len(found)))
    assert isinstance(replica.used(), Used)
    nothing = replica.hear(0.01)
    assert len(nothing.numbers) == 0 and nothing.failure is None


def test_what_cannot_be_loaded_is_told(replica: Replica) -> None:
    told = replica.load(setup(answers="neither"), SAMPLES)
    assert isinstance(told, Failure) and told.kind == "ConfigError" and "neither" in told.message
    assert replica.hear(0.01).failure is None  # nothing more is heard of it


def test_the_death_of_its_sut_is_told_with_the_reason(replica: Replica) -> None:
    replica.load(setup(), SAMPLES)
    os.kill(replica.pid(), signal.SIGKILL)
    replica.issue(np.array([1], np.int64), np.array([0], np.int32))
    end = time.monotonic() + 10
    while (failure := replica.hear(0.2).failure) is None and time.monotonic() < end:
        pass
    assert failure is not None and "killed by SIGKILL" in failure.message


def test_it_keeps_to_its_cores_where_there_are_so_many(replica: Replica) -> None:
    before = cores.usable_ids()
    if not before:
        pytest.skip("this system binds no processes to cores")
    replica.load(setup(count=len(before) + 1), SAMPLES)
    assert cores.usable_ids() == before
    other = Replica("replica 1")
    other.load(setup(), SAMPLES)
    other.close()
    assert cores.usable_ids() == before[:1]


def test_it_tells_of_its_node(replica: Replica) -> None:
    assert replica.facts([], []).cores >= 1
    assert abs(replica.clock() - time.time_ns()) < 60e9
