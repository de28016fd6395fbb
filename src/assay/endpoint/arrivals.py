"""Bytes that arrive, read into one buffer that all connections of a loop share."""

from __future__ import annotations

import asyncio

_READ_BYTES = 2**18
"""What one arrival brings at most: as much as asyncio reads."""


def arrival_buffer() -> memoryview:
    """A buffer for the connections of one loop. Each arrival is taken out of it before the next one is read."""
    return memoryview(bytearray(_READ_BYTES))


class Arrivals(asyncio.BufferedProtocol):
    """A protocol with `data_received`. Of a plain `asyncio.Protocol` each arrival costs a memory map of 256 KiB, its
    shrinking and its end: a seventh of the client's time. Source: docs/adr/0011-the-client-of-a-server.md."""

    def __init__(self, buffer: memoryview) -> None:
        self._arrivals = buffer

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._arrivals

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._arrivals[:nbytes]))

    def data_received(self, data: bytes) -> None:
        raise NotImplementedError
