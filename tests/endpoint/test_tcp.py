"""The transport of plain connections: every byte once and in order, with the system's stamp, and one end."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import sys
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from assay.endpoint.arrival_clock import NO_STAMP
from assay.endpoint.tcp import TcpTransport, connected

LONG = bytes(range(256)) * 32_768
"""8 MiB: more than the system takes at once."""


@pytest.fixture(autouse=True)
def no_socket_is_left() -> Iterator[None]:
    gc.collect()  # what earlier tests left is not this test's
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert not [each for each in seen if issubclass(each.category, ResourceWarning)]


class Kept:
    def __init__(self, taking: Callable[[bytes], None] | None = None) -> None:
        self.pieces: list[tuple[bytes, int]] = []
        self.lost: list[Exception | None] = []
        self.changed = asyncio.Event()
        self._taking = taking

    def arrived(self, data: bytes, stamp_ns: int) -> None:
        self.pieces.append((data, stamp_ns))
        self.changed.set()
        if self._taking is not None:
            self._taking(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.append(error)
        self.changed.set()

    @property
    def data(self) -> bytes:
        return b"".join(data for data, _ in self.pieces)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not is_so():
                self.changed.clear()
                await self.changed.wait()

        await asyncio.wait_for(wait(), 60)


Scene = Callable[[TcpTransport, Kept, socket.socket], Coroutine[Any, Any, None]]


def play(scene: Scene, taking: Callable[[bytes], None] | None = None) -> Kept:
    """`scene`: with a transport, its owner, and the other end, which blocks."""

    async def run() -> Kept:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            ours = await connected(listening.getsockname())
            theirs, _ = listening.accept()
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        kept = Kept(taking)
        transport = TcpTransport(ours, kept)
        with theirs:
            await scene(transport, kept, theirs)
        transport.abort()
        await kept.until(lambda: bool(kept.lost))
        await asyncio.sleep(0)
        return kept

    return asyncio.run(run())


def stamped(kept: Kept) -> list[int]:
    """The stamps; skips where the system gives none."""
    found = [stamp for _, stamp in kept.pieces]
    if NO_STAMP in found:
        assert sys.platform != "linux" or set(found) == {NO_STAMP}
        pytest.skip("this system stamps nothing")
    return found


def test_bytes_have_the_time_at_which_the_system_had_them_however_late_they_are_read() -> None:
    around: list[int] = []

    async def scene(_: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        around.append(time.time_ns())
        theirs.sendall(b"one")
        around.append(time.time_ns())
        time.sleep(0.1)  # the loop is busy
        await kept.until(lambda: kept.data == b"one")

    (stamp,) = stamped(play(scene))
    assert around[0] <= stamp <= around[1]


def test_segments_that_are_read_at_once_have_the_stamp_of_the_last() -> None:
    begun: list[int] = []

    async def scene(_: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (b"one", b"two", b"three"):
            begun.append(time.time_ns())
            theirs.sendall(piece)
        await kept.until(lambda: kept.data == b"onetwothree")

    kept = play(scene)
    stamps = stamped(kept)
    assert len(stamps) == 1 and stamps[0] >= begun[-1]


def test_what_cannot_be_sent_at_once_arrives_whole_and_in_order() -> None:
    async def scene(transport: TcpTransport, _: Kept, theirs: socket.socket) -> None:
        transport.write(LONG)
        transport.write(b"and ")
        transport.write(b"more")
        wanted = LONG + b"and more"
        theirs.setblocking(False)
        got = bytearray()
        while len(got) < len(wanted):
            got += await asyncio.get_running_loop().sock_recv(theirs, 2**20)
        assert bytes(got) == wanted
        transport.write(b"again")
        assert await asyncio.get_running_loop().sock_recv(theirs, 100) == b"again"

    assert play(scene).lost == [None]


def test_a_long_answer_arrives_whole_and_in_order() -> None:
    async def scene(_: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        theirs.setblocking(False)
        await asyncio.get_running_loop().sock_sendall(theirs, LONG)
        await kept.until(lambda: len(kept.data) == len(LONG))

    assert play(scene).data == LONG


@pytest.mark.parametrize("half", [socket.SHUT_WR, socket.SHUT_RDWR])
def test_when_the_server_ends_its_half_the_connection_is_lost_after_its_last_bytes(half: int) -> None:
    async def scene(transport: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        theirs.sendall(b"last")
        theirs.shutdown(half)
        await kept.until(lambda: bool(kept.lost))
        transport.write(b"nobody reads it")

    kept = play(scene)
    assert (kept.data, kept.lost) == (b"last", [None])


def test_a_reset_is_told_once_with_its_reason() -> None:
    async def scene(transport: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        transport.write(b"into the void")
        transport.write(b"again")
        await kept.until(lambda: bool(kept.lost))

    (lost,) = play(scene).lost
    assert isinstance(lost, OSError)


def test_a_send_that_fails_later_is_told_once() -> None:
    async def scene(transport: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        transport.write(LONG)  # the rest waits for room
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        await kept.until(lambda: bool(kept.lost))

    (lost,) = play(scene).lost
    assert isinstance(lost, OSError)


def test_whoever_aborts_is_told_later_and_once() -> None:
    async def scene(transport: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        theirs.sendall(b"unread")
        transport.abort()
        transport.abort()
        assert not kept.lost
        await kept.until(lambda: bool(kept.lost))

    kept = play(scene)
    assert (kept.data, kept.lost) == (b"", [None])


def test_a_fault_of_the_owner_ends_its_connection_and_is_shown() -> None:
    shown: list[object] = []

    def fail(_: bytes) -> None:
        raise KeyError("mine")

    async def scene(_: TcpTransport, kept: Kept, theirs: socket.socket) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: shown.append(told["exception"]))
        theirs.sendall(b"one")
        await kept.until(lambda: bool(kept.lost))

    (lost,) = play(scene, fail).lost
    assert isinstance(lost, KeyError) and shown == [lost]


def test_no_socket_is_left_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        place = closed.getsockname()
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(connected(place))
