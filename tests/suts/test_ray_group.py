from __future__ import annotations

from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest

from assay.ground.errors import ConfigError
from assay.mlperf.sut.interface import Used
from assay.mlperf.sut.message import Failure
from assay.suts import ray_group
from assay.suts.ray_cluster import Node
from assay.suts.ray_group import Member, ReplicaNews

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
    return Member(3, SimpleNamespace(issue=Call(), flush=Call(), hear=hear), NODE)


def test_what_a_replica_tells_is_put_down_with_its_rank() -> None:
    told: SimpleQueue[ReplicaNews | None] = SimpleQueue()
    member(Call("heard")).listen(told)
    broken = RuntimeError("gone")
    member(Call(error=broken)).listen(told)
    assert [told.get(), told.get()] == [ReplicaNews(3, "heard"), ReplicaNews(3, broken)]  # type: ignore[arg-type]


def test_a_failure_is_raised_as_what_it_was_with_the_replicas_name() -> None:
    with pytest.raises(ConfigError, match="replica 3 on host: no model here") as error:
        ray_group._used(member(Call()), Failure("ConfigError", "no model here", "--checkpoint"))
    assert error.value.hint == "--checkpoint"
    used = Used("echo", "none", "none", "none", None, None)
    assert ray_group._used(member(Call()), used) is used


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
