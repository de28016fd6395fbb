"""One kept connection. The time at which bytes arrived is taken before anything is parsed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, Protocol

from assay.endpoint.arrival_clock import NO_STAMP, ArrivalClock
from assay.endpoint.arrivals import Arrivals
from assay.endpoint.exchange import Exchange, Key, Told


class Carrier(Protocol):
    """What sends for a connection, and tells it what arrives: a `TcpTransport`, or asyncio's own for TLS."""

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None: ...


class Connection(Arrivals, Generic[Key]):
    """Carries one request after the other. `heard` is called for every arrival."""

    def __init__(self, heard: Told[Key], clock: ArrivalClock, buffer: memoryview) -> None:
        super().__init__(buffer)
        self._heard, self._clock = heard, clock
        self._carrier: Carrier | None = None
        self._exchange: Exchange[Key] | None = None
        self._over: Over[Key] | None = None
        self.is_open = False
        self.idle_since = 0.0
        self.uses = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.carried_by(transport)

    def carried_by(self, carrier: Carrier) -> None:
        self._carrier, self.is_open = carrier, True

    def data_received(self, data: bytes) -> None:
        self.arrived(data, NO_STAMP)

    def arrived(self, data: bytes, stamp_ns: int) -> None:
        """`stamp_ns`: the system's, as `ArrivalClock` takes it."""
        exchange = self._exchange
        if exchange is None:  # nobody asked: what comes now would be taken for the next answer
            self.close()
            return
        at_ns, is_stamped = self._clock.arrived(stamp_ns, exchange.sent_ns, exchange.heard_ns)
        exchange.heard_ns = at_ns
        exchange.is_stamped = exchange.is_stamped and is_stamped
        exchange.answer.feed(data, at_ns)
        self._heard(exchange)
        answer = exchange.answer
        if answer.failure is not None or answer.is_cut or answer.http.is_whole:
            self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._exchange is not None:
            self._exchange.answer.lost(str(error) if error else "the server closed the connection")
            self._finish()

    def ask(self, exchange: Exchange[Key], request: bytes, over: Over[Key]) -> None:
        """Send the request. `over` is called once when its answer has ended, in whatever way."""
        assert self._carrier is not None
        self._exchange, self._over, self.uses = exchange, over, self.uses + 1
        exchange.sent_ns = exchange.heard_ns = time.monotonic_ns()
        exchange.is_stamped = True
        self._carrier.write(request)
        if not self.is_open:  # lost before it was asked: nobody will tell that again
            asyncio.get_running_loop().call_soon(self.connection_lost, None)

    def give_up(self) -> None:
        """Closes the connection of an answer that has failed already."""
        self._finish()

    def close(self) -> None:
        self.is_open = False
        if self._carrier is not None:
            self._carrier.abort()

    def _finish(self) -> None:
        exchange, over, self._exchange, self._over = self._exchange, self._over, None, None
        if exchange is None or over is None:
            return
        self.idle_since = time.monotonic()
        if exchange.answer.failure is not None or not exchange.answer.http.keeps_alive:
            self.close()
        over(self, exchange)


Over = Callable[[Connection[Key], Exchange[Key]], None]
