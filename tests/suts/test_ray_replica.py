"""A replica without Ray: what its actor would be asked, asked of it directly."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from assay.config import Device, Precision
from assay.ground import cores
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.channel import Kind
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.sut.message import Failure
from assay.mlperf.workloads.workload import Generation
from assay.suts import ray_wire
from assay.suts.ray_replica import Heard, Loaded, Replica, Setup

SECRET = b"s" * 32
SAMPLES = [Sample(n, f"t.{n}", "", "", (1, 50), "", (10 + n, 11, 12)[: 2 + n % 2], ()) for n in range(4)]


def setup(count: int = 1, **options: object) -> Setup:
    rules = Generation(1, 8, 2)
    spec = SutSpec("echo", None, Device.CPU, Precision.FLOAT32, None, rules, True, options)  # type: ignore[arg-type]
    return Setup("assay.suts.echo", spec, 0, count, "127.0.0.1", SECRET)


@pytest.fixture
def replica() -> Iterator[Replica]:
    made = Replica("replica 0")
    yield made
    made.close()
    os.unsetenv("OMP_NUM_THREADS")


def test_it_answers_by_the_numbers_that_it_was_given(replica: Replica) -> None:
    told = replica.load(setup(), SAMPLES)
    assert isinstance(told, Loaded) and told.used.sut == "echo" and told.seconds > 0
    wire = ray_wire.connect("127.0.0.1", told.port, SECRET)
    wire.issue([1000, 1001], [1, 2])
    first, done = wire.receive(), wire.receive()
    assert first is not None and done is not None
    assert (first.kind, first.ids.tolist(), first.values.tolist()) == (Kind.FIRST, [1000, 1001], [11, 12])
    assert (done.kind, done.ids.tolist(), done.values.tolist()) == (Kind.DONE, [1000, 1001], [3, 2])
    assert done.tokens.tolist() == [11, 11, 12, 12, 11]
    assert isinstance(replica.used(), Used)
    assert replica.hear(0.01) == Heard()
    wire.close()


def test_what_cannot_be_loaded_is_told(replica: Replica) -> None:
    told = replica.load(setup(answers="neither"), SAMPLES)
    assert isinstance(told, Failure) and told.kind == "ConfigError" and "neither" in told.message
    assert replica.hear(0.01).failure is None  # nothing more is heard of it


def test_the_death_of_its_sut_is_told_with_the_reason(replica: Replica) -> None:
    told = replica.load(setup(), SAMPLES)
    assert isinstance(told, Loaded)
    wire = ray_wire.connect("127.0.0.1", told.port, SECRET)
    os.kill(replica.pid(), signal.SIGKILL)
    end = time.monotonic() + 10
    while (failure := replica.hear(0.2).failure) is None and time.monotonic() < end:
        pass
    assert failure is not None and "killed by SIGKILL" in failure.message
    assert wire.receive() is None
    wire.close()


def test_it_keeps_to_its_cores_where_there_are_so_many(replica: Replica) -> None:
    before = cores.usable_ids()
    if not before:
        pytest.skip("this system binds no processes to cores")
    replica.load(setup(count=len(before) + 1), SAMPLES)
    assert psutil.Process(replica.pid()).cpu_affinity() == before
    other = Replica("replica 1")
    other.load(setup(), SAMPLES)
    assert psutil.Process(other.pid()).cpu_affinity() == before[:1]
    other.close()
    assert cores.usable_ids() == before  # what carries queries and answers is not bound


def test_it_tells_of_its_node(replica: Replica) -> None:
    assert replica.facts([], []).cores >= 1
    assert abs(replica.clock() - time.time_ns()) < 60e9
