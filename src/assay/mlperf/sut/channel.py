"""Channel: how queries and answers cross a process boundary, many at a time, as numpy buffers on a socket.

One frame layout serves every kind of message; nothing is pickled and nothing is copied on the way out:

    header  kind (1 byte), n (uint32), m (uint64)
    ids     uint64[n]    LoadGen's query ids
    values  int32[n]     ISSUE: sample index, FIRST: first token id, DONE: number of tokens
    tokens  int32[m]     DONE: the answers' token ids, one after the other
                         FIRST: FirstToken.arrived_ns, int64[n] in halves
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.mlperf.sut.interface import Answer, FirstToken, Query

HEADER = struct.Struct("<B3xIQ")
FRAME_ANSWERS = 4096
"""Answers a frame holds at most: large enough to cost little each, small enough to keep both ends busy."""

SOCKET_NAME_BYTES = 107
"""Source: Linux, unix(7): sun_path of 108 bytes, the last of them NUL."""


class Kind(IntEnum):
    ISSUE = 1
    FLUSH = 2
    FIRST = 3
    DONE = 4


class Frame(NamedTuple):
    kind: Kind
    ids: NDArray[np.uint64]
    values: NDArray[np.int32]
    tokens: NDArray[np.int32]

    @property
    def arrived_ns(self) -> NDArray[np.int64]:
        """Of each first token, as in FirstToken."""
        return self.tokens.view(np.int64)

    def queries(self) -> list[Query]:
        return list(map(Query, self.ids.tolist(), self.values.tolist()))


_NO_IDS = np.empty(0, np.uint64)
_NO_TOKENS = np.empty(0, np.int32)


@contextmanager
def socket_name(path: str) -> Iterator[str]:
    """What `bind` and `connect` call the socket at `path`: temporary folders may lie deeper than a name is long."""
    if len(os.fsencode(path)) <= SOCKET_NAME_BYTES:
        yield path
        return
    folder, name = os.path.split(path)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{name}"
    finally:
        os.close(handle)


class Channel:
    """One end of a connection. Any thread may send; one thread receives."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._sending = threading.Lock()

    @classmethod
    def connect(cls, path: str) -> Channel:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with socket_name(path) as name:
                connection.connect(name)
        except OSError:
            connection.close()
            raise
        return cls(connection)

    def issue(
        self, ids: Sequence[int] | NDArray[np.uint64], indices: Sequence[int] | NDArray[np.int32]
    ) -> None:
        self._send(Kind.ISSUE, np.asarray(ids, np.uint64), np.asarray(indices, np.int32), _NO_TOKENS)

    def flush(self) -> None:
        self._send(Kind.FLUSH, _NO_IDS, _NO_TOKENS, _NO_TOKENS)

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        ids, firsts, arrived = zip(*tokens)
        halves = np.array(arrived, np.int64).view(np.int32)
        self._send(Kind.FIRST, np.array(ids, np.uint64), np.array(firsts, np.int32), halves)

    def done(self, answers: Sequence[Answer]) -> None:
        for start in range(0, len(answers), FRAME_ANSWERS):
            ids, tokens = zip(*answers[start : start + FRAME_ANSWERS])
            counts = np.fromiter(map(len, tokens), np.int32, len(tokens))
            self._send(Kind.DONE, np.array(ids, np.uint64), counts, _concatenated(tokens, int(counts.sum())))

    def receive(self) -> Frame | None:
        """The next frame, or None when the other end has closed. Raises: OSError when the connection
        broke."""
        header = self._receive_exactly(HEADER.size)
        if header is None:
            return None
        kind, n, m = HEADER.unpack(header)
        body = self._receive_exactly(12 * n + 4 * m)
        if body is None:
            return None
        ids = np.frombuffer(body, np.uint64, n)
        values = np.frombuffer(body, np.int32, n, 8 * n)
        return Frame(Kind(kind), ids, values, np.frombuffer(body, np.int32, m, 12 * n))

    def close(self) -> None:
        """Any thread may still be sending: it gets BrokenPipeError, as if the other end had closed."""
        self.hang_up()
        with self._sending:
            self._socket.close()

    def hang_up(self) -> None:
        """End the connection; whoever waits at either end learns it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def fileno(self) -> int:
        return self._socket.fileno()

    def _send(self, kind: Kind, ids: NDArray[Any], values: NDArray[Any], tokens: NDArray[Any]) -> None:
        header = HEADER.pack(kind, len(ids), len(tokens))
        parts = [memoryview(header), *(a.view(np.uint8).data for a in (ids, values, tokens) if len(a))]
        with self._sending:
            if self._socket.fileno() < 0:
                raise BrokenPipeError("this end of the channel is closed")
            while parts:
                parts = _after(parts, self._socket.sendmsg(parts))

    def _receive_exactly(self, size: int) -> memoryview | None:
        buffer = memoryview(bytearray(size))
        filled = 0
        while filled < size:
            received = self._socket.recv_into(buffer[filled:])
            if received == 0:
                return None
            filled += received
        return buffer


def _concatenated(answers: Sequence[Sequence[int]], total: int) -> NDArray[np.int32]:
    """All token ids in one row; fastest when every answer already is an int32 array."""
    if all(isinstance(answer, np.ndarray) for answer in answers):
        return np.concatenate(answers).astype(np.int32, copy=False)
    return np.fromiter(itertools.chain.from_iterable(answers), np.int32, total)


def _after(parts: list[memoryview], sent: int) -> list[memoryview]:
    """The rest of `parts` after their first `sent` bytes."""
    left = list(parts)
    while left and sent >= len(left[0]):
        sent -= len(left.pop(0))
    if left and sent:
        left[0] = left[0][sent:]
    return left
