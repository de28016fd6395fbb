"""A TCP connection in an event loop that hands on the system's stamps. asyncio's own transports do not ask for them."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Protocol

from assay.endpoint.arrival_clock import NO_STAMP

_READ_BYTES = 2**16
"""What one arrival brings at most. Twice as much would be new memory of the system for each."""
_SO_TIMESTAMPNS = 35
"""Linux, asm-generic/socket.h; Python has no name for it."""
_STAMP = struct.Struct("qq")
"""Seconds and nanoseconds of CLOCK_REALTIME."""
_STAMP_ROOM = socket.CMSG_SPACE(_STAMP.size)
_LATER = (BlockingIOError, InterruptedError)


class Owner(Protocol):
    """Who is told of a connection. After `connection_lost`, which comes once, nothing is told."""

    def arrived(self, data: bytes, stamp_ns: int) -> None:
        """`stamp_ns`: CLOCK_REALTIME when the system had the bytes, or NO_STAMP."""

    def connection_lost(self, error: Exception | None) -> None: ...


async def connected(place: tuple[str, int]) -> socket.socket:
    """A socket to a host that is an address, and a port. Raises: OSError."""
    made = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, place)
    except BaseException:
        made.close()
        raise
    return made


class TcpTransport:
    """Owns the socket, which is connected and does not block. When the server ends its half, the connection is lost."""

    def __init__(self, connected: socket.socket, owner: Owner) -> None:
        self._socket, self._owner = connected, owner
        self._loop = asyncio.get_running_loop()
        self._unsent = memoryview(b"")
        self._is_open = True
        with suppress(OSError):  # not Linux: nothing is stamped
            connected.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._loop.add_reader(connected, self._read)

    def write(self, data: bytes) -> None:
        """What cannot be sent at once is sent as soon as it can."""
        if not self._is_open:
            return
        if self._unsent:
            self._unsent = memoryview(b"".join((self._unsent, data)))
            return
        self._unsent = memoryview(data)
        self._send()
        if self._unsent and self._is_open:
            self._loop.add_writer(self._socket, self._send_rest)

    def abort(self) -> None:
        """Closes at once. The owner is told in the next turn of the loop."""
        self._close(None)

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except _LATER:
            return
        except OSError as error:
            self._close(error)
            return
        self._unsent = self._unsent[sent:]

    def _send_rest(self) -> None:
        self._send()
        if not self._unsent and self._is_open:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            data, told, _, _ = self._socket.recvmsg(_READ_BYTES, _STAMP_ROOM)
        except _LATER:
            return
        except OSError as error:
            self._close(error)
            return
        if not data:
            self._close(None)
            return
        try:
            self._owner.arrived(data, _stamp_ns(told))
        except Exception as error:
            self._close(error)
            raise

    def _close(self, error: Exception | None) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._loop.call_soon(self._owner.connection_lost, error)


def _stamp_ns(told: list[tuple[int, int, bytes]]) -> int:
    """Nothing else is asked for, so nothing else comes; where a time has another size, it is none that we know."""
    if not told or len(told[0][2]) != _STAMP.size:
        return NO_STAMP
    seconds, ns = _STAMP.unpack(told[0][2])
    return int(seconds * 1_000_000_000 + ns)
