"""Carries many streams at once over kept connections, in one event loop. Bodies are bytes made before the run."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Generic

from assay.endpoint.arrival_clock import ArrivalClock
from assay.endpoint.arrivals import arrival_buffer
from assay.endpoint.connection import Connection
from assay.endpoint.exchange import ClientLimits, Exchange, Key, Told
from assay.endpoint.failure import FailureKind
from assay.endpoint.rotation import OF_THE_SERVER, Endpoint, Rotation
from assay.endpoint.tcp import TcpTransport, connected

IDLE_SECONDS = 3.0
"""Seconds. A connection that was idle for longer is not used again: uvicorn closes one after 5 s."""
LOOK_SECONDS = 0.25
"""Seconds between two looks for silent answers."""


class Client(Generic[Key]):
    """Call `ask` in the thread of its loop. `heard` is called for every arrival, `done` once when an exchange has
    ended. `hands_over`: when a server fails a query, another server that has not failed it gets the query;
    without it, the query has failed."""

    def __init__(
        self, endpoints: Sequence[Endpoint[Key]], limits: ClientLimits, heard: Told[Key], done: Told[Key]
    ) -> None:
        self.endpoints, self._limits = endpoints, limits
        self._rotation = Rotation(endpoints)
        self.hands_over = False
        self._heard, self._done = heard, done
        self._clock, self._buffer = ArrivalClock(), arrival_buffer()
        self._waiting: deque[Exchange[Key]] = deque()
        self._open = 0
        """Exchanges that were taken and have not ended."""
        self._running: dict[int, tuple[Exchange[Key], Connection[Key]]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        """A task for each connection that is being made: a request over a kept one is sent without a task."""
        self._heard_ns: dict[str, int] = {}
        """When each server last sent something, as `_hear` saw it."""
        self._freed_ns = 0
        """When a place last became free while all were taken."""
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """A future that ends with the exception that broke the client itself."""

    def ask(self, exchanges: list[Exchange[Key]]) -> None:
        self._waiting += exchanges
        self._fill()

    async def watch(self) -> None:
        """Ends answers that are silent or last for too long. Runs as long as the client.

        Without its first token a request may wait for its turn: it is silent only once its server is.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic_ns()
            running = list(self._running.values())
            for exchange, _ in running:
                self._hear(exchange)
            for exchange, connection in running:
                heard_ns = exchange.heard_ns if exchange.answer.last_token_ns else self._hear(exchange)
                if now - heard_ns > self._limits.silence_s * 1e9:
                    said = f"no byte for {self._limits.silence_s:g} s"
                    exchange.answer.fail(FailureKind.STALL, said)
                elif now - exchange.sent_ns > self._limits.answer_s * 1e9:
                    exchange.answer.fail(FailureKind.TIMEOUT, f"not whole after {self._limits.answer_s:g} s")
                else:
                    continue
                connection.give_up()

    def _hear(self, exchange: Exchange[Key]) -> int:
        """When the server that answers it last sent something to anybody, ns, as far as that was looked at."""
        came_ns = exchange.heard_ns if exchange.answer.has_bytes else 0
        self._heard_ns[exchange.endpoint] = max(self._heard_ns.get(exchange.endpoint, 0), came_ns)
        return max(exchange.sent_ns, self._heard_ns[exchange.endpoint])

    def close(self) -> None:
        """Nothing is told after it."""
        for task in self._opening:
            task.cancel()
        running = [connection for _, connection in self._running.values()]
        self._running.clear()
        for connection in (*running, *(kept for endpoint in self.endpoints for kept in endpoint.idle)):
            connection.close()

    def _fill(self) -> None:
        while self._waiting and self._open < self._limits.in_flight:
            exchange = self._waiting.popleft()
            exchange.due_ns = max(exchange.asked_ns, self._freed_ns)
            self._open += 1
            self._try(exchange)

    def _try(self, exchange: Exchange[Key]) -> None:
        endpoint = self._rotation.next(exchange.handed_over)
        exchange.endpoint = endpoint.address.text
        endpoint.outstanding += 1
        endpoint.asked += 1
        if (kept := endpoint.kept(time.monotonic() - IDLE_SECONDS)) is not None:
            self._send(endpoint, exchange, kept)
            return
        task = asyncio.ensure_future(self._open_for(endpoint, exchange))
        self._opening.add(task)
        task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._break(error)

    def _send(self, endpoint: Endpoint[Key], exchange: Exchange[Key], connection: Connection[Key]) -> None:
        self._running[id(exchange)] = (exchange, connection)
        connection.ask(exchange, endpoint.request(exchange.body), partial(self._answered, endpoint))

    def _answered(
        self, endpoint: Endpoint[Key], connection: Connection[Key], exchange: Exchange[Key]
    ) -> None:
        """An exchange has ended on its connection, in whatever way."""
        if self._running.pop(id(exchange), None) is None:  # the client is closed
            return
        if connection.is_open:
            endpoint.idle.append(connection)
        if exchange.answer.failure is None:
            self._hear(exchange)
        try:
            self._tried(endpoint, exchange, is_reused=connection.uses > 1)
        except Exception as error:  # inside of a callback of the loop, which would only write it down
            self._break(error)

    def _break(self, error: BaseException) -> None:
        if not self.failure.done():
            self.failure.set_exception(error)

    def _tried(self, endpoint: Endpoint[Key], exchange: Exchange[Key], *, is_reused: bool) -> None:
        """One try has ended: another one follows, or the exchange is done."""
        endpoint.outstanding -= 1
        failure = exchange.answer.failure
        if failure is not None and failure.kind is FailureKind.CONNECT and is_reused:
            pass  # it was closed as we sent: a request on a fresh connection is the first real one
        elif failure is not None and self._tries_again(exchange, failure.tokens_before):
            exchange.retries += 1
        else:
            self._rotation.ended(endpoint, failure)
            if failure is None or not self._is_for_another(exchange, failure.kind):
                self._end(exchange)
                return
            exchange.handed_over.append(endpoint.address.text)
        exchange.answer = exchange.make_answer()
        self._try(exchange)

    def _end(self, exchange: Exchange[Key]) -> None:
        if self._open == self._limits.in_flight:
            self._freed_ns = time.monotonic_ns()
        self._open -= 1
        self._done(exchange)
        self._fill()

    def _tries_again(self, exchange: Exchange[Key], tokens: int) -> bool:
        return tokens == 0 and exchange.retries < self._limits.retries

    def _is_for_another(self, exchange: Exchange[Key], kind: FailureKind) -> bool:
        """Never called after the answer was reported: each query has exactly one answer."""
        failed = (*exchange.handed_over, exchange.endpoint)
        is_open = self.hands_over and not exchange.is_done_told
        return is_open and kind in OF_THE_SERVER and self._rotation.has_another(failed)

    async def _open_for(self, endpoint: Endpoint[Key], exchange: Exchange[Key]) -> None:
        """Opens a connection and sends the exchange over it."""
        made = Connection(self._heard, self._clock, self._buffer)
        try:
            await asyncio.wait_for(_carry(made, endpoint), self._limits.connect_s)
        except (OSError, asyncio.TimeoutError) as error:
            said = str(error) or f"no connection in {self._limits.connect_s:g} s"
            exchange.answer.fail(FailureKind.CONNECT, said)
            self._tried(endpoint, exchange, is_reused=False)
        else:
            endpoint.connections += 1
            self._send(endpoint, exchange, made)


async def _carry(made: Connection[Key], endpoint: Endpoint[Key]) -> None:
    """Connects it to the server. Raises: OSError."""
    if endpoint.tls is None:
        made.carried_by(TcpTransport(await connected(endpoint.place), made))
        return
    await asyncio.get_running_loop().create_connection(
        lambda: made, *endpoint.place, ssl=endpoint.tls, server_hostname=endpoint.address.host
    )  # sets TCP_NODELAY
