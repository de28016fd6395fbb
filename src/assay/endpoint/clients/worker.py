"""What a client process does: orders in, requests out, answers held against their terms and handed back."""

from __future__ import annotations

import asyncio
import socket
import time
from functools import partial
from typing import NamedTuple

import msgspec

from assay.endpoint import audit
from assay.endpoint.address import parse
from assay.endpoint.answer import AnswerStream
from assay.endpoint.apis import APIS
from assay.endpoint.arrivals import Arrivals, arrival_buffer
from assay.endpoint.audit import AnswerTerms
from assay.endpoint.chunk_times import packed_gaps
from assay.endpoint.client import Client
from assay.endpoint.clients.crossing import (
    ORDERS_IN,
    SETTING,
    Came,
    ClientSetting,
    EndedStream,
    FrameKind,
    FrameReader,
    Pulse,
    frame,
)
from assay.endpoint.exchange import Exchange
from assay.endpoint.failure import FailureKind
from assay.endpoint.rotation import Endpoint
from assay.endpoint.tier import Tier

LONGEST_TURN_NS = 1_000_000
"""Longer than that nothing waits for what else comes in the same turn: first tokens are timed by who gets them."""
TICK_S, TICKS = 0.02, 10
"""How often the lag of the loop is looked at, and how many looks make a pulse."""


class OrderKey(NamedTuple):
    number: int
    terms: AnswerTerms


class ClientWorker(Arrivals):
    """Its connection is to the process that gives the orders; when that closes, it is over."""

    def __init__(self, over: asyncio.Future[None]) -> None:
        super().__init__(arrival_buffer())
        self._loop = asyncio.get_running_loop()
        self._over = over
        self._frames = FrameReader()
        self._client: Client[OrderKey] | None = None
        self._came = Came([], [], [])
        self._since_ns = 0
        """When the first of it came; 0 = nothing has."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._parent = transport

    def connection_lost(self, error: Exception | None) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, value in self._frames.feed(data):
                self._take(kind, value)
        except Exception as error:
            self._break(error)

    def _take(self, kind: FrameKind, value: bytes) -> None:
        if kind is FrameKind.SETTING:
            self._begin(SETTING.decode(value))
            return
        assert self._client is not None
        if kind is FrameKind.HANDS_OVER:
            self._client.hands_over = msgspec.msgpack.decode(value, type=bool)
        else:
            self._client.ask(
                [
                    Exchange(
                        OrderKey(number, question.terms),
                        question.body,
                        partial(AnswerStream, self._api, question.terms.stop_ids),
                        asked_ns,
                    )
                    for number, asked_ns, question in ORDERS_IN.decode(value)
                ]
            )

    def _begin(self, setting: ClientSetting) -> None:
        self._api = APIS[setting.api]
        self._is_text = self._api.tier is Tier.C
        endpoints: list[Endpoint[OrderKey]] = [
            Endpoint.at(parse(url), self._api.path, setting.token) for url in setting.urls
        ]
        self._client = Client(endpoints, setting.limits, self._heard, self._done)
        self._helpers = [asyncio.ensure_future(each) for each in (self._client.watch(), self._pulse())]
        for watched in (self._client.failure, *self._helpers):
            watched.add_done_callback(self._stopped)

    def _stopped(self, what: asyncio.Future[None]) -> None:
        if not what.cancelled() and (error := what.exception()) is not None:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        """Tells why, and ends: what is open is failed by the process that gave it."""
        if not self._over.done():
            self._parent.write(frame(FrameKind.BROKEN, f"{type(error).__name__}: {error}"[:500]))
            self._over.set_exception(error)

    def _heard(self, exchange: Exchange[OrderKey]) -> None:
        """Something has arrived: the first token, or the last."""
        answer = exchange.answer
        if self._is_text:
            if answer.texts and not exchange.is_first_told:
                exchange.is_first_told = True
                self._soon().first_texts.append((exchange.key.number, answer.texts[0], exchange.heard_ns))
            return
        if answer.ids and not exchange.is_first_told:
            exchange.is_first_told = True
            self._soon().firsts.append((exchange.key.number, answer.ids[0], exchange.heard_ns))
        if len(answer.ids) > exchange.key.terms.most_tokens:  # a stream may have no end, and memory has one
            answer.failure = answer.failure or audit.tokens_fault(answer, exchange.key.terms)
        if answer.is_whole and answer.failure is None and not exchange.is_done_told:
            fault = audit.tokens_fault(answer, exchange.key.terms)
            if fault is not None:
                answer.failure = fault
                return
            exchange.is_done_told = True
            ids = audit.handed_in(answer, exchange.key.terms)
            self._soon().answers.append((exchange.key.number, ids))

    def _done(self, exchange: Exchange[OrderKey]) -> None:
        """The stream has ended, in whatever way."""
        self._heard(exchange)  # a body without a length is whole only now
        answer = exchange.answer
        fault = audit.text_fault if self._is_text else audit.counts_fault
        answer.failure = answer.failure or fault(answer, exchange.key.terms)
        if self._is_text and answer.failure is None and answer.is_whole:
            exchange.is_done_told = True
            whole = (exchange.key.number, "".join(answer.texts), answer.usage.completion_tokens)
            self._soon().texts.append(whole)
        if answer.failure is None and not exchange.is_done_told:
            answer.fail(FailureKind.CUT, "the stream ended without a reason to stop")
        failure = answer.failure
        self._soon().ended.append(
            EndedStream(
                number=exchange.key.number,
                url=exchange.endpoint,
                late_ns=max(0, exchange.sent_ns - exchange.due_ns),
                sent_ns=exchange.sent_ns,
                took_ns=max(0, exchange.heard_ns - exchange.sent_ns),
                first_ns=answer.chunks_ns[0] - exchange.sent_ns if answer.chunks_ns else 0,
                is_stamped=exchange.is_stamped if answer.has_bytes else None,
                retries=exchange.retries,
                handed_over=tuple(exchange.handed_over),
                cached_tokens=answer.usage.cached_tokens,
                failure=failure.kind.name if failure else None,
                detail=failure.detail if failure else "",
                tokens=len(answer.ids),
                first_chunk_tokens=answer.first_chunk_tokens,
                gaps_us=packed_gaps(answer.chunks_ns),
            )
        )

    def _soon(self) -> Came:
        """What comes in one turn of the loop is handed in together, unless the turn is long."""
        now = time.monotonic_ns()
        if not self._since_ns:
            self._since_ns = now
            self._loop.call_soon(self._hand_in)
        elif now - self._since_ns > LONGEST_TURN_NS:
            self._hand_in()
            self._since_ns = now
        return self._came

    def _hand_in(self) -> None:
        came, self._came, self._since_ns = self._came, Came([], [], []), 0
        if came.firsts or came.answers or came.ended or came.first_texts or came.texts:
            self._parent.write(frame(FrameKind.CAME, came))

    async def _pulse(self) -> None:
        assert self._client is not None
        endpoints = self._client.endpoints
        while True:
            lags = []
            for _ in range(TICKS):
                due = time.monotonic_ns() + int(TICK_S * 1e9)
                await asyncio.sleep(TICK_S)
                lags.append(max(0, time.monotonic_ns() - due))
            pulse = Pulse(
                time.monotonic_ns(),
                time.process_time_ns(),
                tuple(lags),
                {each.address.text: each.connections for each in endpoints},
                {each.address.text: each.left for each in endpoints if each.left},
            )
            self._parent.write(frame(FrameKind.PULSE, pulse))


def main(descriptor: int) -> None:
    """In a client process, until the other end of `descriptor` closes. Raises: what broke it."""

    async def live() -> None:
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda: ClientWorker(over), sock=socket.socket(fileno=descriptor))
        await over

    asyncio.run(live())
