"""The client in one loop, against servers of which some fail."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from assay.endpoint.address import parse
from assay.endpoint.answer import AnswerStream
from assay.endpoint.apis import APIS
from assay.endpoint.arrival_clock import ArrivalClock
from assay.endpoint.arrivals import arrival_buffer
from assay.endpoint.client import Client
from assay.endpoint.connection import Connection
from assay.endpoint.exchange import ClientLimits, Exchange
from assay.endpoint.failure import FailureKind
from assay.endpoint.prompt import Prompt
from assay.endpoint.rotation import LEAVES_AFTER, Endpoint
from assay.endpoint.sampling import Sampling
from assay.endpoint.tcp import TcpTransport, connected
from tests.endpoint.tiny_server import TinyServer

API = APIS["vllm"]
ANSWER = [5, 6, 7]


def exchange(number: int) -> Exchange[int]:
    body = API.body(Prompt(ids=(1, 2)), Sampling(max_tokens=8), "tiny", None)
    return Exchange(number, body, partial(AnswerStream, API, ()), 0)


def asked(
    count: int, *urls: str, hands_over: bool = False, **limits: Any
) -> tuple[list[Exchange[int]], Client[int]]:
    """What has ended, in its order, and the client that did it."""

    async def run() -> tuple[list[Exchange[int]], Client[int]]:
        ended: list[Exchange[int]] = []
        over = asyncio.Event()

        def done(one: Exchange[int]) -> None:
            ended.append(one)
            if len(ended) == count:
                over.set()

        endpoints: list[Endpoint[int]] = [Endpoint.at(parse(url), API.path, None) for url in urls]
        client = Client(endpoints, ClientLimits(**{"in_flight": 2, **limits}), lambda _: None, done)
        client.hands_over = hands_over
        watch = asyncio.ensure_future(client.watch())
        client.ask([exchange(number) for number in range(count)])
        await asyncio.wait_for(over.wait(), 60)
        watch.cancel()
        client.close()
        with suppress(asyncio.CancelledError):
            await watch
        return ended, client

    return asyncio.run(run())


@pytest.mark.parametrize("fault", ["500", "503", "reset", "cut", "error", "stall"])
def test_another_server_answers_what_one_fails_and_each_query_has_one_answer(fault: str) -> None:
    silence_s = 1.0 if fault == "stall" else 30.0  # a loaded machine is silent for a while, too
    with TinyServer(lambda _: ANSWER, fault) as bad, TinyServer(lambda _: ANSWER) as good:
        ended, _ = asked(10, bad.url, good.url, hands_over=True, silence_s=silence_s)
    assert sorted(one.key for one in ended) == list(range(10))
    assert all(one.answer.failure is None and one.answer.ids == ANSWER for one in ended)
    assert {one.endpoint for one in ended} == {good.url}
    failed = [one for one in ended if one.handed_over]
    assert {url for one in failed for url in one.handed_over} == {bad.url}
    assert 1 <= len(failed) <= LEAVES_AFTER + 1  # one more may be in flight


def test_a_server_that_only_errs_leaves_without_taking_all_queries_with_it() -> None:
    with TinyServer(lambda _: ANSWER, "500") as bad, TinyServer(lambda _: ANSWER) as good:
        ended, client = asked(20, bad.url, good.url, in_flight=1)
    failed = [one for one in ended if one.answer.failure]
    assert len(failed) == LEAVES_AFTER and not any(one.handed_over for one in ended)
    assert "HTTP 500" in client.endpoints[0].left and not client.endpoints[1].left


@pytest.mark.parametrize(("fault", "kind"), [("400", FailureKind.REQUEST), ("429", FailureKind.BUSY)])
def test_what_any_server_would_refuse_is_not_handed_over(fault: str, kind: FailureKind) -> None:
    with TinyServer(lambda _: ANSWER, fault) as bad, TinyServer(lambda _: ANSWER, fault) as other:
        ended, _ = asked(2, bad.url, other.url, hands_over=True)
    assert [one.answer.failure and one.answer.failure.kind for one in ended] == [kind] * 2
    assert not any(one.handed_over for one in ended)


def test_a_query_that_every_server_fails_has_failed_once_tried_by_each() -> None:
    with TinyServer(lambda _: ANSWER, "cut") as one, TinyServer(lambda _: ANSWER, "cut") as two:
        (ended,), _ = asked(1, one.url, two.url, hands_over=True)
        assert len(one.requests) == len(two.requests) == 1
    assert ended.answer.failure is not None and len(ended.handed_over) == 1


def test_a_query_is_due_when_a_place_becomes_free_and_not_before() -> None:
    with TinyServer(lambda _: ANSWER) as server:
        ended, _ = asked(4, server.url, in_flight=1)
    assert ended[0].due_ns == 0
    assert all(
        before.heard_ns <= after.due_ns <= after.sent_ns for before, after in itertools.pairwise(ended)
    )


def test_bytes_that_nobody_asked_for_close_the_connection() -> None:
    made: Connection[int] = Connection(lambda _: None, ArrivalClock(), arrival_buffer())
    made.is_open = True
    made.data_received(b"HTTP/1.1 200 OK\r\n\r\n")
    assert not made.is_open


def test_a_request_over_a_connection_that_was_lost_before_it_fails_at_once() -> None:
    async def run() -> Exchange[int]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            made: Connection[int] = Connection(lambda _: None, ArrivalClock(), arrival_buffer())
            made.carried_by(TcpTransport(await connected(listening.getsockname()), made))
        made.close()
        await asyncio.sleep(0)
        over: asyncio.Future[Exchange[int]] = asyncio.get_running_loop().create_future()
        made.ask(exchange(1), b"", lambda _, ended: over.set_result(ended))
        return await asyncio.wait_for(over, 60)

    failure = asyncio.run(run()).answer.failure
    assert failure is not None and failure.kind is FailureKind.CONNECT


def test_a_fault_of_whoever_is_told_breaks_the_client_and_is_not_lost() -> None:
    async def run() -> BaseException | None:
        def done(_: Exchange[int]) -> None:
            raise KeyError("mine")

        client = Client(
            [Endpoint.at(parse(server.url), API.path, None)], ClientLimits(), lambda _: None, done
        )
        client.ask([exchange(0)])
        with suppress(KeyError):
            await asyncio.wait_for(asyncio.shield(client.failure), 30)
        client.close()
        return client.failure.exception()

    with TinyServer(lambda _: ANSWER) as server:
        assert isinstance(asyncio.run(run()), KeyError)


def test_nothing_is_told_once_the_client_is_closed() -> None:
    async def run() -> list[int]:
        ended: list[int] = []
        endpoints: list[Endpoint[int]] = [Endpoint.at(parse(server.url), API.path, None)]
        client = Client(endpoints, ClientLimits(), lambda _: None, lambda one: ended.append(one.key))
        client.ask([exchange(0)])
        while not server.requests:
            await asyncio.sleep(0.01)
        client.close()
        await asyncio.sleep(0.05)  # its connection is lost by now
        return ended

    with TinyServer(lambda _: ANSWER, "stall") as server:
        assert asyncio.run(run()) == []


def test_a_kept_connection_carries_one_request_after_the_other() -> None:
    with TinyServer(lambda _: ANSWER) as server:
        ended, client = asked(6, server.url, in_flight=1)
    assert len(ended) == 6 and client.endpoints[0].connections == 1


def test_a_request_that_waits_for_its_turn_is_not_silent_while_others_are_answered() -> None:
    slot = threading.Lock()

    def answer(_: dict[str, Any]) -> list[int]:
        with slot:
            time.sleep(0.3)
        return ANSWER

    with TinyServer(answer) as server:
        ended, _ = asked(8, server.url, in_flight=8, silence_s=2.0)
    assert [one.answer.failure for one in ended] == [None] * 8
    assert ended[-1].heard_ns - ended[-1].sent_ns > 2.0e9


def test_requests_without_a_token_are_silent_once_their_server_is() -> None:
    with TinyServer(lambda _: time.sleep(2.0) or ANSWER) as server:  # type: ignore[func-returns-value]
        ended, _ = asked(2, server.url, silence_s=0.2)
    assert [one.answer.failure and one.answer.failure.kind for one in ended] == [FailureKind.STALL] * 2
