"""The wire to a replica, both ends in this process; a thread stands for the SUT process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assay.ground.errors import RunFailed
from assay.mlperf.sut.channel import Channel, Kind
from assay.mlperf.sut.interface import Answer, FirstToken
from assay.suts import ray_wire

SECRET = ray_wire.secret()


@pytest.fixture
def sut(tmp_path: Path) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "sut"))
    listener.listen()
    yield listener
    listener.close()


@pytest.fixture
def entrance(sut: socket.socket) -> Iterator[ray_wire.Entrance]:
    made = ray_wire.Entrance("127.0.0.1", SECRET, str(sut.getsockname()))
    yield made
    made.close()


def joined(sut: socket.socket, entrance: ray_wire.Entrance) -> tuple[Channel, Channel]:
    """The dispatcher's end, and that of the SUT."""
    ours = ray_wire.connect("127.0.0.1", entrance.port, SECRET)
    return ours, Channel(sut.accept()[0])


def test_queries_and_answers_pass_whole(sut: socket.socket, entrance: ray_wire.Entrance) -> None:
    ours, theirs = joined(sut, entrance)
    count = 3 * ray_wire.PIECE_BYTES // 12
    sender = threading.Thread(target=ours.issue, args=(np.arange(count), np.arange(count) % 7))
    sender.start()
    asked = theirs.receive()
    sender.join()
    assert asked is not None and asked.kind is Kind.ISSUE
    assert np.array_equal(asked.ids, np.arange(count)) and np.array_equal(asked.values, np.arange(count) % 7)
    theirs.done([Answer(5, [1, 2, 3]), Answer(6, [4, 5])])
    found = ours.receive()
    assert found is not None and found.kind is Kind.DONE
    assert (found.ids.tolist(), found.values.tolist()) == ([5, 6], [3, 2])
    assert found.tokens.tolist() == [1, 2, 3, 4, 5]
    ours.close()
    theirs.close()


@pytest.mark.parametrize("who", ["the dispatcher", "the SUT"])
def test_the_end_of_one_is_the_end_of_the_other(
    sut: socket.socket, entrance: ray_wire.Entrance, who: str
) -> None:
    ours, theirs = joined(sut, entrance)
    gone, left = (ours, theirs) if who == "the dispatcher" else (theirs, ours)
    gone.hang_up()
    assert left.receive() is None
    ours.close()
    theirs.close()


def test_who_lacks_the_secret_is_turned_away_and_keeps_nobody_out(
    sut: socket.socket, entrance: ray_wire.Entrance
) -> None:
    with pytest.raises(RunFailed, match="is not the replica"):
        ray_wire.connect("127.0.0.1", entrance.port, ray_wire.secret())
    silent = socket.create_connection(("127.0.0.1", entrance.port))
    ours, theirs = joined(sut, entrance)
    theirs.first_tokens([FirstToken(1, 2)])
    assert ours.receive() is not None
    for each in (silent, ours, theirs):
        each.close()


def test_a_replica_that_is_not_there_is_named(entrance: ray_wire.Entrance) -> None:
    port = entrance.port
    entrance.close()
    with pytest.raises(RunFailed, match=rf"a replica cannot be reached at 127\.0\.0\.1:{port}"):
        ray_wire.connect("127.0.0.1", port, SECRET)


def test_a_sut_that_has_ended_closes_the_wire(tmp_path: Path) -> None:
    entrance = ray_wire.Entrance("127.0.0.1", SECRET, str(tmp_path / "nobody"))
    ours = ray_wire.connect("127.0.0.1", entrance.port, SECRET)
    assert ours.receive() is None
    ours.close()
