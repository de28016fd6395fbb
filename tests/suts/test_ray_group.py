from __future__ import annotations

import socket
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.ground.errors import ConfigError
from assay.mlperf.sut.channel import Channel
from assay.mlperf.sut.interface import Used
from assay.mlperf.sut.message import Failure
from assay.suts import ray_group
from assay.suts.ray_cluster import Node
from assay.suts.ray_group import Member, ReplicaNews
from assay.suts.ray_replica import Loaded

USED = Used("echo", "none", "none", "none", None, None)
NODE = Node("id", "host", "127.0.0.1", 2, 0)


class Call:
    """A method of an actor, and what its call comes to."""

    def __init__(self, result: Any = None, error: Exception | None = None) -> None:
        self._error, self._result = error, result

    def options(self, concurrency_group: str) -> Call:
        return self

    def remote(self, *arguments: Any) -> Any:
        future = SimpleNamespace(exception=lambda: self._error, result=lambda: self._result)
        future.add_done_callback = lambda tell: tell(future)
        return SimpleNamespace(future=lambda: future)


def member(hear: Call) -> Member:
    return Member(3, SimpleNamespace(hear=hear), NODE)


def test_what_a_replica_tells_is_put_down_with_its_rank() -> None:
    told: SimpleQueue[ReplicaNews | None] = SimpleQueue()
    member(Call("heard")).listen(told)
    broken = RuntimeError("gone")
    member(Call(error=broken)).listen(told)
    assert [told.get(), told.get()] == [ReplicaNews(3, "heard"), ReplicaNews(3, broken)]  # type: ignore[arg-type]


def test_a_failure_is_raised_as_what_it_was_with_the_replicas_name() -> None:
    with pytest.raises(ConfigError, match="replica 3 on host: no model here") as error:
        ray_group._told(member(Call()), Failure("ConfigError", "no model here", "--checkpoint"))
    assert error.value.hint == "--checkpoint"
    assert ray_group._told(member(Call()), USED) is USED


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "The actor died.\n\tclass_name: X\nThe actor is dead because it was killed",
            "The actor is dead because it",
        ),
        (
            "The actor died unexpectedly before finishing this task.\n\tclass_name: X",
            "The actor died unexpectedly",
        ),
        ("Traceback\n  File x\nValueError: no\n", "ValueError: no"),
        ("", "RuntimeError"),
    ],
)
def test_a_failure_of_ray_is_one_line(said: str, words: str) -> None:
    assert ray_group.words_of(RuntimeError(said)).startswith(words)


def test_nothing_is_sent_on_a_wire_that_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(ray_group.ray_wire, "connect", lambda *where: Channel(ours))
    made = member(Call())
    made.loaded(Loaded(USED, 1, 2.5), b"secret")
    numbers, indices = np.array([7], np.int64), np.array([1], np.int32)
    made.issue(numbers, indices)
    frame = Channel(theirs).receive()
    assert frame is not None and (frame.ids.tolist(), frame.values.tolist()) == ([7], [1])
    theirs.close()
    assert made.receive() is None and made.cut is not None and "it was closed" in made.cut[1]
    cut = made.cut
    made.issue(numbers, indices)
    made.flush()
    made.hang_up()
    assert made.cut is cut and made.load_s == 2.5
    ours.close()


def test_a_replica_that_takes_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # as when the wait of a send has ended
    monkeypatch.setattr(ray_group.ray_wire, "connect", lambda *where: Channel(ours))
    made = member(Call())
    made.loaded(Loaded(USED, 1, 2.5), b"secret")
    made.issue(np.zeros(1 << 20, np.int64), np.zeros(1 << 20, np.int32))
    assert made.cut is not None and "it took nothing for 10 s" in made.cut[1]
    ours.close()
    theirs.close()
