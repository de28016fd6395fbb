"""Many streams at once over kept connections, in one event loop.

Times are stamped when bytes arrive, before anything is parsed. Bodies are bytes made beforehand.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from assay.endpoint.address import Address
from assay.endpoint.answer import AnswerStream
from assay.endpoint.failure import FailureKind

IDLE_SECONDS = 3.0
"""A connection that was idle for longer is not used again: uvicorn closes one after 5 s."""
LOOK_SECONDS = 0.25
"""How often silent answers are looked for."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class ClientLimits:
    """Of one answer, in seconds, and of the client."""

    silence_s: float = 120.0
    """Longest time without a byte."""
    answer_s: float = 3600.0
    connect_s: float = 10.0
    in_flight: int = 256
    retries: int = 0
    """How often a request is sent again after a failure before any byte."""


@dataclass
class Exchange(Generic[Key]):
    """One request and what has come of it."""

    key: Key
    body: bytes
    make_answer: Callable[[], AnswerStream]
    """Fresh, for each try."""
    asked_ns: int
    """When it was handed to the client."""
    answer: AnswerStream = field(init=False)
    due_ns: int = 0
    """When it could first be sent: as it was asked, or as a place became free."""
    sent_ns: int = 0
    heard_ns: int = 0
    retries: int = 0
    endpoint: str = ""
    is_first_told: bool = False
    is_done_told: bool = False

    def __post_init__(self) -> None:
        self.answer = self.make_answer()


Told = Callable[[Exchange[Key]], None]


class _Connection(asyncio.Protocol, Generic[Key]):
    """One kept connection; answers one request after the other."""

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
        """Send the request and wait for the end of its answer, whatever that is."""
        assert self._transport is not None
        self._over = asyncio.get_running_loop().create_future()
        self._exchange, self.uses = exchange, self.uses + 1
        exchange.sent_ns = exchange.heard_ns = time.monotonic_ns()
        self._transport.write(request)
        await self._over

    def give_up(self) -> None:
        """The answer has failed already; its connection is of no more use."""
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


@dataclass
class Endpoint(Generic[Key]):
    """One server: what it was asked, and its idle connections."""

    address: Address
    head: bytes
    place: tuple[str, int]
    """Host and port with the name resolved."""
    tls: ssl.SSLContext | None
    asked: int = 0
    outstanding: int = 0
    failed: int = 0
    connections: int = 0
    idle: list[_Connection[Key]] = field(default_factory=list)

    @classmethod
    def at(cls, address: Address, path: str, token: str | None) -> Endpoint[Key]:
        """Resolves the name once. Raises: OSError."""
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        host, port = found[0][4][:2]
        return cls(address, address.head(path, token), (str(host), int(port)), address.tls())

    def request(self, body: bytes) -> bytes:
        return b"%s%d\r\n\r\n%s" % (self.head, len(body), body)


class Client(Generic[Key]):
    """`ask` in its loop's thread. `heard` is told of every arrival, `done` once when an exchange has ended.

    An exchange goes to the endpoint with the fewest outstanding ones.
    """

    def __init__(
        self, endpoints: list[Endpoint[Key]], limits: ClientLimits, heard: Told[Key], done: Told[Key]
    ) -> None:
        self.endpoints, self._limits = endpoints, limits
        self._heard, self._done = heard, done
        self._waiting: deque[Exchange[Key]] = deque()
        self._running: dict[int, tuple[Exchange[Key], _Connection[Key]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends with what broke the client itself."""

    def ask(self, exchanges: list[Exchange[Key]]) -> None:
        self._waiting += exchanges
        self._fill(None)

    async def watch(self) -> None:
        """Ends answers that are silent for too long, or take too long. Runs as long as the client."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic_ns()
            for exchange, connection in list(self._running.values()):
                if now - exchange.heard_ns > self._limits.silence_s * 1e9:
                    said = f"no byte for {self._limits.silence_s:g} s"
                    exchange.answer.fail(FailureKind.STALL, said)
                elif now - exchange.sent_ns > self._limits.answer_s * 1e9:
                    exchange.answer.fail(FailureKind.TIMEOUT, f"not whole after {self._limits.answer_s:g} s")
                else:
                    continue
                connection.give_up()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for endpoint in self.endpoints:
            for connection in endpoint.idle:
                connection.close()
        for _, connection in self._running.values():
            connection.close()

    def _fill(self, freed_ns: int | None) -> None:
        while self._waiting and len(self._tasks) < self._limits.in_flight:
            exchange = self._waiting.popleft()
            exchange.due_ns = freed_ns or exchange.asked_ns
            task = asyncio.ensure_future(self._serve(exchange))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            if not self.failure.done():
                self.failure.set_exception(error)
            return
        self._fill(time.monotonic_ns())

    async def _serve(self, exchange: Exchange[Key]) -> None:
        while True:
            endpoint = min(self.endpoints, key=lambda each: each.outstanding)
            exchange.endpoint = endpoint.address.text
            endpoint.outstanding += 1
            endpoint.asked += 1
            is_reused = await self._try(endpoint, exchange)
            endpoint.outstanding -= 1
            if exchange.answer.failure is None:
                break
            is_unanswered = exchange.answer.failure.kind is FailureKind.CONNECT
            if is_reused and is_unanswered:
                pass  # it was closed as we sent: a request on a fresh connection is the first real one
            elif exchange.retries < self._limits.retries and exchange.answer.failure.tokens_before == 0:
                exchange.retries += 1
            else:
                endpoint.failed += 1
                break
            exchange.answer = exchange.make_answer()
        self._done(exchange)

    async def _try(self, endpoint: Endpoint[Key], exchange: Exchange[Key]) -> bool:
        """One try; whether its connection had been used before."""
        try:
            connection = await self._connection(endpoint)
        except (OSError, asyncio.TimeoutError) as error:
            exchange.answer.fail(
                FailureKind.CONNECT, str(error) or f"no connection in {self._limits.connect_s:g} s"
            )
            return False
        self._running[id(exchange)] = (exchange, connection)
        try:
            await connection.ask(exchange, endpoint.request(exchange.body))
        finally:
            del self._running[id(exchange)]
        if connection.is_open:
            endpoint.idle.append(connection)
        return connection.uses > 1

    async def _connection(self, endpoint: Endpoint[Key]) -> _Connection[Key]:
        """The connection that was used last, or a new one."""
        while endpoint.idle:
            kept = endpoint.idle.pop()
            if kept.is_open and time.monotonic() - kept.idle_since < IDLE_SECONDS:
                return kept
            kept.close()
        name = endpoint.address.host if endpoint.tls else None
        opening = asyncio.get_running_loop().create_connection(
            lambda: _Connection(self._heard), *endpoint.place, ssl=endpoint.tls, server_hostname=name
        )  # sets TCP_NODELAY
        _, made = await asyncio.wait_for(opening, self._limits.connect_s)
        endpoint.connections += 1
        return made
