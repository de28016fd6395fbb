"""One kept connection. A time is taken when bytes arrive, before anything is parsed."""

from __future__ import annotations

import asyncio
import time
from typing import Generic

from assay.endpoint.exchange import Exchange, Key, Told


class Connection(asyncio.Protocol, Generic[Key]):
    """Carries one request after the other. `heard` is called for every arrival."""

    def __init__(self, heard: Told[Key]) -> None:
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange[Key] | None = None
        self._over: asyncio.Future[None] | None = None
        self.is_open = False
        self.idle_since = 0.0
        self.uses = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.is_open = transport, True

    def data_received(self, data: bytes) -> None:
        now, exchange = time.monotonic_ns(), self._exchange
        if exchange is None:  # nobody asked: what comes now would be taken for the next answer
            self.close()
            return
        exchange.heard_ns = now
        exchange.answer.feed(data, now)
        self._heard(exchange)
        answer = exchange.answer
        if answer.failure is not None or answer.is_cut or answer.http.is_whole:
            self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._exchange is not None:
            self._exchange.answer.lost(str(error) if error else "the server closed the connection")
            self._finish()

    async def ask(self, exchange: Exchange[Key], request: bytes) -> None:
        """Send the request and wait until its answer has ended, in whatever way."""
        assert self._transport is not None
        self._over = asyncio.get_running_loop().create_future()
        self._exchange, self.uses = exchange, self.uses + 1
        exchange.sent_ns = exchange.heard_ns = time.monotonic_ns()
        self._transport.write(request)
        await self._over

    def give_up(self) -> None:
        """Closes the connection of an answer that has failed already."""
        self._finish()

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def _finish(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self.idle_since = time.monotonic()
        if exchange.answer.failure is not None or not exchange.answer.http.keeps_alive:
            self.close()
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
