"""Two connections of one loop share a buffer, and each gets its own bytes."""

from __future__ import annotations

import asyncio

from assay.endpoint.arrivals import Arrivals, arrival_buffer

LONG = 300_000
"""Bytes: more than the buffer holds."""


class Kept(Arrivals):
    def __init__(self, buffer: memoryview) -> None:
        super().__init__(buffer)
        self.pieces: list[bytes] = []
        self.over = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.over.set_result(error)


def test_each_connection_keeps_its_own_bytes_however_they_alternate() -> None:
    async def run() -> list[list[bytes]]:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            mark = b"%d" % (len(kept) % 10)
            for size in (1, 7, LONG):
                writer.write(mark * size)
                await writer.drain()
                await asyncio.sleep(0)
            writer.close()

        kept: list[Kept] = []
        buffer = arrival_buffer()
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            for _ in range(2):
                _, made = await asyncio.get_running_loop().create_connection(
                    lambda: Kept(buffer), "127.0.0.1", port
                )
                kept.append(made)
                await asyncio.sleep(0.01)
            await asyncio.wait_for(asyncio.gather(*(each.over for each in kept)), 30)
        return [each.pieces for each in kept]

    one, two = asyncio.run(run())
    for pieces in (one, two):
        whole = b"".join(pieces)
        assert len(whole) == LONG + 8 and whole == whole[:1] * len(whole)
    assert one[0][:1] != two[0][:1]
