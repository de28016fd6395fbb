"""Client processes against the mock server, with what only several processes can do wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from assay.endpoint import single
from assay.endpoint.apis import APIS
from assay.endpoint.audit import AnswerTerms
from assay.endpoint.clients.crossing import Came, ClientSetting, EndedStream, Order, WrittenQuestion, packed
from assay.endpoint.clients.fleet import ClientFleet
from assay.endpoint.clients.worker import TICKS
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from tests.mock_server import mock

TOKENS = 6


class Heard:
    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.firsts: list[tuple[int, int, int]] = []
        self.answers: dict[int, list[int]] = {}
        self.ended: dict[int, EndedStream] = {}
        self.error: BaseException | None = None

    def came(self, came: Came) -> None:
        with self.changed:
            self.firsts += came.firsts
            for number, ids in came.answers:
                assert number not in self.answers
                self.answers[number] = ids
            for ended in came.ended:
                assert ended.number not in self.ended
                self.ended[ended.number] = ended
            self.changed.notify_all()

    def broke(self, error: BaseException) -> None:
        with self.changed:
            self.error = error
            self.changed.notify_all()

    def wait(self, enough: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: enough() or self.error is not None, 60)
        assert self.error is None


def order(number: int) -> Order:
    ids = (11, 12, 100 + number)
    body = APIS["vllm"].body(Prompt(ids=ids), Sampling(max_tokens=TOKENS), "mock", None)
    terms = AnswerTerms(ids, (), 2, TOKENS, (2,))
    return number, time.monotonic_ns(), msgspec.Raw(packed(WrittenQuestion(body, terms)))


def fleet(*servers: single.ProbedServer, count: int = 2, **limits: Any) -> tuple[ClientFleet, Heard]:
    heard = Heard()
    urls = tuple(server.text for server in servers)
    return ClientFleet(ClientSetting("vllm", urls, None, ClientLimits(**limits)), count, heard), heard


def test_every_order_has_one_whole_answer_and_its_first_token_whoever_carries_it() -> None:
    with mock() as server:
        made, heard = fleet(server, in_flight=8)
        made.ask([order(number) for number in range(60)])
        heard.wait(lambda: len(heard.ended) == 60)
        made.close()
    assert sorted(heard.answers) == list(range(60)) and len(set(map(tuple, heard.answers.values()))) == 60
    assert {len(ids) for ids in heard.answers.values()} == {TOKENS}
    assert {number: token for number, token, _ in heard.firsts} == {
        n: ids[0] for n, ids in heard.answers.items()
    }
    assert len(heard.firsts) == 60
    assert {ended.failure for ended in heard.ended.values()} == {None}
    for number, _, arrived_ns in heard.firsts:
        ended = heard.ended[number]
        assert arrived_ns == ended.sent_ns + ended.first_ns and 0 < ended.first_ns <= ended.took_ns


def test_each_process_tells_how_it_fares_and_no_more_are_in_flight_than_asked_for() -> None:
    with mock(ttft_ms=20) as server:
        made, heard = fleet(server, in_flight=4)
        made.ask([order(number) for number in range(24)])
        heard.wait(lambda: len(heard.ended) == 24)
        seen: list[Any] = [[], []]
        deadline = time.monotonic() + 60
        while not all(told and sum(told[-1].connections.values()) for told in seen):
            assert time.monotonic() < deadline
            time.sleep(0.05)
            seen = made.pulses()
        made.close()
    assert [sum(told[-1].connections.values()) for told in seen] == [2, 2]
    assert all(len(told[-1].lags_ns) == TICKS and told[-1].cpu_ns > 0 for told in seen)


def test_a_process_that_dies_fails_what_it_carried_and_the_other_one_goes_on() -> None:
    with mock(ttft_ms=300) as server:
        made, heard = fleet(server, in_flight=4)
        made.ask([order(number) for number in range(4)])
        os.kill(made.pids[0], signal.SIGKILL)
        heard.wait(lambda: len(heard.ended) == 4)
        made.ask([order(number) for number in range(4, 8)])
        heard.wait(lambda: len(heard.ended) == 8)
        made.close()
    failed = [ended for ended in heard.ended.values() if ended.failure]
    assert sorted(ended.number for ended in failed) == [0, 2]
    assert {(ended.failure, ended.detail) for ended in failed} == {
        ("CLIENT", "client process 1 of 2 ended: killed by signal 9")
    }


def test_what_failed_without_a_byte_has_no_time_of_arrival() -> None:
    with mock() as server:
        pass
    made, heard = fleet(server, count=1)
    made.ask([order(0)])
    heard.wait(lambda: len(heard.ended) == 1)
    made.close()
    assert (heard.ended[0].failure, heard.ended[0].is_stamped) == ("CONNECT", None)


def test_a_stream_of_tokens_without_end_is_left_as_soon_as_it_is_too_long() -> None:
    with mock(tokens=20_000) as server:
        made, heard = fleet(server, in_flight=1, count=1)
        number, asked_ns, written = order(0)
        question = msgspec.msgpack.decode(written, type=WrittenQuestion)
        body = question.body.replace(b'"max_tokens": %d' % TOKENS, b'"max_tokens": 20000')
        body = body.replace(b'"max_tokens":%d' % TOKENS, b'"max_tokens":20000')
        assert body != question.body
        made.ask([(number, asked_ns, msgspec.Raw(packed(WrittenQuestion(body, question.terms))))])
        heard.wait(lambda: len(heard.ended) == 1)
        made.close()
    assert heard.ended[0].failure == "TOKENS" and heard.ended[0].tokens < 20_000
    assert "6 were allowed" in heard.ended[0].detail


def test_without_any_process_orders_fail_at_once() -> None:
    with mock() as server:
        made, heard = fleet(server, count=1)
        os.kill(made.pids[0], signal.SIGKILL)
        made.ask([order(0)])
        heard.wait(lambda: len(heard.ended) == 1)
        made.ask([order(1)])
        assert heard.ended[1].failure == "CLIENT"
        made.hand_over(True)  # there is nobody to tell
        made.close()


def test_a_process_that_cannot_go_on_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    heard = Heard()
    made = ClientFleet(ClientSetting("no-api", ("http://127.0.0.1:9",), None, ClientLimits()), 1, heard)
    made.ask([order(0)])
    heard.wait(lambda: bool(heard.ended))
    made.close()
    assert "no-api" in heard.ended[0].detail
    assert "KeyError" in capfd.readouterr().err
