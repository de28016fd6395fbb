"""The SUT that joins replicas, with replicas that a test speaks for: no Ray, no processes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay import suts
from assay.config import Device, Precision
from assay.ground.errors import RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.channel import Frame, Kind
from assay.mlperf.sut.interface import Query, SutSpec, Used
from assay.mlperf.sut.message import Failure
from assay.mlperf.workloads.workload import Generation
from assay.suts import ray_replicas
from assay.suts.ray import KIND
from assay.suts.ray_group import Clock, ReplicaNews
from assay.suts.ray_layout import ReplicaLayout
from assay.suts.ray_replica import Heard

USED = Used("echo", "none", "none", "none", 2, None)


class Sink:
    def __init__(self) -> None:
        self.answers: list[tuple[int, list[int]]] = []
        self.firsts: list[tuple[int, ...]] = []
        self.lines: list[str] = []

    def first_tokens(self, tokens: Any) -> None:
        self.firsts += [tuple(each) for each in tokens]

    def done(self, answers: Any) -> None:
        self.answers += [(answer.id, list(answer.token_ids)) for answer in answers]

    def progress(self, message: str) -> None:
        self.lines.append(message)

    def worst_endpoint(self, words: str) -> None:
        self.lines.append(words)


class Member:
    def __init__(self, rank: int) -> None:
        self.rank, self.name, self.used = rank, f"replica {rank}", USED
        self.node = SimpleNamespace(name="n0")
        self.load_s = 1.5
        self.cut: tuple[float, str] | None = None
        self.held: dict[int, int] = {}
        self.flushed = 0
        self.told: Any = None
        self.frames: SimpleQueue[Frame | None] = SimpleQueue()

    def listen(self, told: Any) -> None:
        self.told = told

    def issue(self, numbers: Any, indices: Any) -> None:
        self.held.update(zip(numbers.tolist(), indices.tolist()))

    def flush(self) -> None:
        self.flushed += 1

    def receive(self) -> Frame | None:
        return self.frames.get()

    def first(self, numbers: list[int]) -> None:
        self.put(Kind.FIRST, numbers, [5] * len(numbers), [])

    def answer(self, count: int | None = None) -> None:
        numbers = list(self.held)[:count]
        self.put(Kind.DONE, numbers, [2] * len(numbers), [t for n in numbers for t in (self.held[n], 7)])

    def put(self, kind: Kind, numbers: list[int], values: list[int], tokens: list[int]) -> None:
        frame = np.array(numbers, np.uint64), np.array(values, np.int32), np.array(tokens, np.int32)
        self.frames.put(Frame(kind, *frame))

    def say(self, outcome: Any) -> None:
        self.told.put(ReplicaNews(self.rank, outcome))


class ReplicaGroup:
    def __init__(self, cluster: Any, layout: ReplicaLayout, timeout_s: float) -> None:
        self.layout, self.members = layout, [Member(rank) for rank in range(layout.replicas)]
        self.facts = {"n0": SimpleNamespace(system={"kernel": "6"}, cores=2)}
        self.clocks = {"n0": Clock(0.1, 0.2)}
        self.killed: list[int] = []
        self.silent: dict[int, str] = {}

    def check(self, folders: Any, packages: Any) -> None: ...

    def load(self, module: str, spec: SutSpec, samples: Any) -> None: ...

    def refresh(self, ranks: Any) -> dict[int, str]:
        return {rank: self.silent[rank] for rank in ranks if rank in self.silent}

    def kill(self, rank: int) -> None:
        self.killed.append(rank)

    def close(self, ranks: Any) -> None: ...


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, sink: Sink) -> Iterator[Callable[..., Any]]:
    monkeypatch.setattr(ray_replicas, "ReplicaGroup", ReplicaGroup)
    monkeypatch.setattr(ray_replicas, "LOOK_S", 0.02)
    monkeypatch.setattr(ray_replicas, "version", lambda name: "2.0")
    monkeypatch.setattr(threading, "excepthook", lambda hook: None)
    cluster = SimpleNamespace(nodes=lambda: [1], watch=lambda tell: None, close=lambda: None)
    suts_made: list[ray_replicas.RaySut] = []

    def make(replicas: int, **options: Any) -> tuple[ray_replicas.RaySut, list[Member]]:
        spec = SutSpec("echo", None, Device.CPU, Precision.FLOAT32, None, Generation(1, 2, 2), True)
        sut = ray_replicas.RaySut(
            cluster,  # type: ignore[arg-type]
            ReplicaLayout(replicas, 1.0),
            KIND.values(options),
            suts.kind("echo"),
            spec,
            sink,
        )
        sut.load([Sample(0, "t.0", "", "", (1,), "", (2, 3), ())])
        suts_made.append(sut)
        return sut, sut._group.members  # type: ignore[return-value]

    yield make
    for sut in suts_made:
        sut.close()


def asked(sut: ray_replicas.RaySut, count: int, start: int = 100) -> None:
    sut.issue([Query(start + n, n) for n in range(count)])


def test_answers_come_together_under_loadgens_ids(made: Any, sink: Sink) -> None:
    sut, members = made(2)
    asked(sut, 8)
    assert [len(member.held) for member in members] == [4, 4]
    for member in members:
        member.answer()
    sut.flush()
    assert sorted(sink.answers) == [(100 + n, [n, 7]) for n in range(8)]
    used = sut.used()
    assert [row["answers"] for row in used.details["runs"][0]] == [4, 4]
    assert used.batch == 4 and used.losses == () and used.details["nodes"]["n0"]["clock"]["ahead_ms"] == 0.1


def test_first_tokens_come_once_and_before_their_answers(made: Any, sink: Sink) -> None:
    sut, (member,) = made(1)
    asked(sut, 1)
    (number,) = member.held
    member.first([number])
    member.first([number])
    member.answer()
    sut.flush()
    assert sink.firsts == [(100, 5, 0)] and sink.answers == [(100, [0, 7])]


def test_what_replicas_say_beside_their_answers_is_passed_on(made: Any, sink: Sink) -> None:
    _, members = made(2)
    members[1].say(Heard(("warming up",), "endpoint 3 is slow"))
    until(lambda: len(sink.lines) == 3)
    assert sink.lines[1:] == ["replica 1: warming up", "endpoint 3 is slow"]


def test_a_lost_replica_has_its_queries_answered_once_by_others(made: Any, sink: Sink) -> None:
    sut, members = made(2)
    asked(sut, 8)
    members[0].answer(1)
    until(lambda: len(sink.answers) == 1)
    members[0].say(RuntimeError("RayActorError: it was killed"))
    members[1].answer()
    until(lambda: len(members[1].held) == 7)
    members[1].answer()
    sut.flush()
    assert Counter(id_ for id_, _ in sink.answers) == Counter(range(100, 108))
    assert all(tokens == [id_ - 100, 7] for id_, tokens in sink.answers)
    used = sut.used()
    assert used.losses == ("replica 0 was lost: RayActorError: it was killed",)
    assert used.details["taken_over"] == 3 and list(used.details["replicas"]) == ["replica 1"]
    assert sut._group.killed == [0]


def test_what_a_lost_replica_still_answers_is_dropped(made: Any, sink: Sink) -> None:
    sut, members = made(2)
    asked(sut, 4)
    members[0].say(Heard(failure=Failure("RunFailed", "killed by SIGKILL", "")))
    until(lambda: sut._group.killed == [0])
    members[0].first(list(members[0].held))
    members[0].answer()
    members[1].answer()
    sut.flush()
    assert sorted(sink.answers) == [(100 + n, [n, 7]) for n in range(4)] and sink.firsts == []
    assert sut.used().details["taken_over"] == 2 and "killed by SIGKILL" in sut.used().losses[0]


def test_a_replica_whose_connection_broke_is_given_up_when_nobody_says_why(made: Any, sink: Sink) -> None:
    sut, members = made(2)
    asked(sut, 2)
    members[0].cut = time.monotonic() - 10, "its connection broke: it was closed"
    until(lambda: sut._group.killed == [0])
    assert any("its connection broke" in line for line in sink.lines)


def test_replicas_are_told_to_flush_when_nothing_waits(made: Any, sink: Sink) -> None:
    sut, (member,) = made(1)
    asked(sut, 6)  # two batches of two have room
    flushing = threading.Thread(target=sut.flush)
    flushing.start()
    until(lambda: sut._is_flushing)
    assert member.flushed == 0 and len(member.held) == 4
    member.answer(2)
    until(lambda: member.flushed == 1)
    member.answer()
    flushing.join(20)
    assert len(sink.answers) == 6


def test_a_silent_replica_is_given_up(made: Any, sink: Sink) -> None:
    sut, members = made(2, replica_timeout=5.0)
    asked(sut, 2)
    sut._silences.heard(0, time.monotonic() - 10)
    until(lambda: sut._group.killed == [0])
    until(lambda: len(members[1].held) == 2)
    assert any(
        "nothing was heard of it for 10 s; 1 of its queries go to others" in line for line in sink.lines
    )


def test_without_any_replica_the_run_fails_with_every_reason(made: Any, sink: Sink) -> None:
    sut, members = made(2)
    asked(sut, 4)
    for member in members:
        member.say(RuntimeError(f"Error {member.rank}"))
    with pytest.raises(RunFailed, match=r"no replica is left \(replica 0: Error 0; replica 1: Error 1\)"):
        sut.flush()
    with pytest.raises(RunFailed):
        asked(sut, 1)


def test_a_lost_head_ends_whoever_waits(made: Any, sink: Sink) -> None:
    sut, _ = made(1)
    asked(sut, 1)
    lost = RunFailed("the head is lost")
    with pytest.raises(RunFailed):
        sut.break_off(lost)
    with pytest.raises(RunFailed, match="the head is lost"):
        sut.flush()


def test_a_replica_that_is_found_dead_between_runs_is_lost_too(made: Any) -> None:
    sut, _ = made(2)
    sut._group.silent = {1: "it died"}
    assert sut.used().losses == ("replica 1 was lost: it died",)
    sut._group.silent = {0: "it died too"}
    with pytest.raises(RunFailed, match=r"no replica is left \(replica 1: it died; replica 0: it died too\)"):
        sut.used()
