"""Each behaviour of the mock server, and what a client makes of it."""

from __future__ import annotations

import itertools
import json
import socket
import urllib.request
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from assay.endpoint import single
from assay.endpoint.address import parse
from assay.endpoint.answer import AnswerStream
from assay.endpoint.apis import APIS
from assay.endpoint.delta import Finish
from assay.endpoint.failure import FailureKind
from assay.endpoint.mock.script import script_of
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError
from tests.mock_server import mock

IDS = tuple(range(10, 74))
TEXT = "what is asked of it in some words"


def ask(
    server: single.ProbedServer, name: str = "vllm", *, ids: tuple[int, ...] = IDS, **asked: Any
) -> single.SingleAnswer:
    api = APIS[name]
    takes_text = api.tier is Tier.B or name in ("ollama", "openai-chat")
    prompt = Prompt(text=TEXT) if takes_text else Prompt(ids=ids)
    salt = asked.pop("salt", None)
    return single.answer(server, api, api.body(prompt, Sampling(**{"max_tokens": 8, **asked}), "mock", salt))


def connected(server: single.ProbedServer) -> socket.socket:
    address = parse(server.text)
    return socket.create_connection((address.host, address.port), 10)


def log(server: single.ProbedServer) -> list[dict[str, Any]]:
    rows = json.loads(single.fact(server, "/mock/log")[1])
    assert isinstance(rows, list)
    return rows


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"tokens_per_event": 3, "first_event_tokens": 2},
        {"line_end": "crlf", "comments": True, "split_bytes": 1},
        {"line_end": "cr", "split_bytes": 7},
        {"empty_text": True, "tpot_ms": 1},
        {"sglang": "new-ids", "tokens_per_event": 2},
        {"sglang": "incremental"},
        {"done": False, "usage": False},
    ],
)
def test_every_shape_of_stream_is_read_as_the_same_answer(name: str, shape: dict[str, Any]) -> None:
    with mock(api=name, tokens=6) as plain, mock(api=name, tokens=6, **shape) as other:
        expected, got = ask(plain, name), ask(other, name)
    assert expected.failure is got.failure is None
    assert got.ids == expected.ids and got.finish is expected.finish is Finish.STOP
    assert len(got.ids) == (6 if APIS[name].tier is not Tier.C else 0)
    assert got.usage.completion_tokens in (6, None)
    if not shape.get("empty_text"):
        assert got.text == expected.text != ""


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "busy"}, FailureKind.BUSY),
        ({"kind": "unavailable"}, FailureKind.LOADING),
        ({"kind": "error"}, FailureKind.SERVER),
        ({"kind": "refuse"}, FailureKind.REQUEST),
        ({"kind": "reset"}, FailureKind.CONNECT),
        ({"kind": "reset", "after": 3}, FailureKind.CUT),
        ({"kind": "close", "after": 3}, FailureKind.CUT),
        ({"kind": "close"}, FailureKind.CUT),
        ({"kind": "error_event", "after": 3}, FailureKind.SERVER),
        ({"kind": "damaged", "after": 3}, FailureKind.DAMAGED),
        ({"kind": "abort"}, FailureKind.ABORTED),
    ],
)
def test_a_fault_meets_the_requests_that_it_is_meant_for(fault: dict[str, Any], kind: FailureKind) -> None:
    with mock(tpot_ms=1, fault=[{**fault, "requests": [2]}]) as server:
        answers = [ask(server) for _ in range(3)]
        assert [one.failure and one.failure.kind for one in answers] == [None, kind, None]
        assert len(answers[1].ids) in (0, fault.get("after", 0), 8)
        assert len(log(server)) == 3


def test_a_stall_is_seen_when_no_byte_comes() -> None:
    with mock(fault=[{"kind": "stall", "after": 2, "probability": 1.0}]) as server:
        short = single.ProbedServer(server.address, None, 0.3)
        stalled = ask(short)
        assert stalled.failure is not None and stalled.failure.kind is FailureKind.STALL
        assert len(stalled.ids) == 2


def test_wrong_answers_are_there_to_be_found() -> None:
    faults = [
        {"kind": "short", "requests": [1], "after": 1},
        {"kind": "bad_id", "requests": [2]},
        {"kind": "wrong_usage", "requests": [3]},
        {"kind": "short", "requests": [4], "after": 0},
    ]
    with mock(fault=faults) as server:
        short, bad, wrong, empty = (ask(server) for _ in range(4))
    assert short.ids == (2,) and short.finish is Finish.STOP
    assert min(bad.ids) >= 32000
    assert wrong.usage.completion_tokens == len(wrong.ids) + 1
    assert empty.ids == ()


def test_answers_depend_on_seed_and_prompt_alone() -> None:
    with mock(seed=1) as first, mock(seed=1) as again, mock(seed=2) as other:
        assert ask(first).ids == ask(first).ids == ask(again).ids
        assert ask(first).ids != ask(other).ids
        assert ask(first).ids != ask(first, ids=IDS[1:]).ids


def test_lengths_are_as_asked() -> None:
    with mock(tokens=1) as server:
        assert len(ask(server).ids) == 1
        assert len(ask(server, min_tokens=2).ids) == 2
        assert len(ask(server, ignore_eos=True).ids) == 8
    with mock(tokens=1, honours_min_tokens=False) as server:
        assert len(ask(server, min_tokens=2).ids) == 1


def test_a_repeated_prompt_is_cached_unless_it_is_salted() -> None:
    with mock(prefix_cache=True) as server:
        cached = [ask(server, salt=salt).usage.cached_tokens for salt in (None, None, "a", "b")]
        assert cached == [None, 48, None, None]
        assert "vllm:prefix_cache_hits_total 48\n" in single.fact(server, "/metrics")[1]
    with mock(prefix_cache=True, states_cached=False) as server:
        assert [ask(server).usage.cached_tokens for _ in range(2)] == [None, None]


def test_an_answer_that_is_kept_whole_comes_at_once_whatever_its_salt() -> None:
    with mock(response_cache=True, ttft_ms=40, tpot_ms=5) as server:
        answers = [ask(server, salt=salt) for salt in ("a", "b")]
        ask(server, ids=IDS[1:])
        first, again, other = (row["last_ns"] - row["arrived_ns"] for row in log(server))
    assert answers[0].ids == answers[1].ids
    assert again < 40e6 <= min(first, other)


def test_a_compressed_answer_fails_by_name() -> None:
    with mock(gzip=True, tpot_ms=1) as server:
        failure = ask(server).failure
        raw = urllib.request.Request(
            f"{server.text}/v1/completions",
            APIS["vllm"].body(Prompt(ids=IDS), Sampling(max_tokens=3), "mock", None),
        )
        with urllib.request.urlopen(raw, timeout=10) as response:
            text = zlib.decompressobj(wbits=31).decompress(response.read())
    assert failure is not None and failure.kind is FailureKind.DAMAGED and "gzip" in failure.detail
    assert text.count(b"data: ") == 5 and b"[DONE]" in text


def test_the_client_of_runs_fails_a_compressed_answer_too() -> None:
    answer = AnswerStream(APIS["vllm"])
    answer.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 1)
    assert answer.failure is not None and answer.failure.kind is FailureKind.DAMAGED
    assert "compressed (gzip)" in answer.failure.detail
    plain = AnswerStream(APIS["vllm"])
    plain.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 300\r\n\r\n", 1)
    assert plain.failure is None


def test_reasoning_is_part_of_the_answer() -> None:
    with (
        mock(api="openai-chat", tokens=6) as plain,
        mock(api="openai-chat", tokens=6, reasoning_tokens=4) as other,
    ):
        expected, got = ask(plain, "openai-chat"), ask(other, "openai-chat")
    assert got.text == expected.text != "" and got.failure is None
    assert sum(bool(delta.text) for delta in got.deltas) == got.usage.completion_tokens == 6


def test_another_count_of_the_prompt_is_stated_where_the_script_says_so() -> None:
    for name in ("vllm", "sglang", "llamacpp"):
        with mock(api=name, fault=[{"kind": "wrong_prompt", "requests": [2]}]) as server:
            right, wrong = ask(server, name), ask(server, name)
        assert (right.usage.prompt_tokens, wrong.usage.prompt_tokens) == (len(IDS), len(IDS) + 1)
        assert right.ids == wrong.ids


def test_an_idle_connection_is_closed_after_its_time() -> None:
    body = APIS["vllm"].body(Prompt(ids=IDS), Sampling(max_tokens=2), "mock", None)
    request = b"POST /v1/completions HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with mock(keep_alive_s=0.2) as server, connected(server) as client:
        client.sendall(request)
        got = b""
        while data := client.recv(65536):  # ends when the mock closes
            got += data
    assert got.endswith(b"\r\n0\r\n\r\n")


def test_text_gets_a_beginning_of_sequence_where_the_script_says_so() -> None:
    with mock(api="openai-chat") as plain, mock(api="openai-chat", adds_bos=True) as other:
        counts = [ask(server, "openai-chat").usage.prompt_tokens for server in (plain, other)]
    assert counts[0] is not None and counts[1] == counts[0] + 1


def test_more_streams_slow_each_other_down() -> None:
    with mock(tpot_ms_per_stream=10) as server:
        ask(server)
        with ThreadPoolExecutor(3) as pool:
            assert all(one.failure is None for one in pool.map(lambda _: ask(server), range(3)))
        alone, *together = [row["last_ns"] - row["first_ns"] for row in log(server)]
    assert alone >= 6 * 10e6 and max(together) >= 6 * 20e6  # a late first token shortens the rest


def test_requests_wait_for_a_slot_in_their_order() -> None:
    with mock(slots=1, ttft_ms=20, tpot_ms=1) as server:
        with ThreadPoolExecutor(4) as pool:
            assert all(one.failure is None for one in pool.map(lambda _: ask(server), range(4)))
        rows = log(server)
    for before, after in itertools.pairwise(rows):
        assert after["first_ns"] - before["last_ns"] >= 15e6  # the time to first token begins with the slot


def test_the_log_has_the_mocks_own_times() -> None:
    with mock(ttft_ms=30, tpot_ms=5) as server:
        ask(server)
        (row,) = log(server)
    assert row["first_ns"] - row["arrived_ns"] >= 30e6
    assert row["last_ns"] - row["arrived_ns"] >= 30e6 + 7 * 5e6  # a late first token moves no later one
    assert (row["tokens"], row["outcome"]) == (8, "done")


def test_a_loading_time_and_a_context_are_held() -> None:
    with mock(loading_s=60) as server:
        loading = ask(server).failure
    assert loading is not None and loading.kind is FailureKind.LOADING
    with mock(context=70) as server:
        long = ask(server).failure
    assert long is not None and "context length" in long.detail


def test_a_key_is_wanted_where_the_script_has_one() -> None:
    with mock(key="secret") as server:
        refused = ask(server).failure
        right = single.ProbedServer(server.address, "secret", 10)
        assert ask(right).failure is None
    assert refused is not None and refused.kind is FailureKind.REQUEST and "401" in refused.detail
    assert "secret" not in repr(right)


def test_two_requests_at_once_on_one_connection_are_both_answered() -> None:
    body = APIS["vllm"].body(Prompt(ids=IDS), Sampling(max_tokens=2), "mock", None)
    request = b"POST /v1/completions HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with mock() as server, socket.create_connection((server.address.host, server.address.port), 10) as client:
        client.sendall(request * 2)
        got = b""
        while got.count(b"\r\n0\r\n\r\n") < 2:
            data = client.recv(65536)
            assert data
            got += data
    assert got.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ({"tokenz": 1}, "tokens"),
        ({"fault": [{"kind": "bussy"}]}, "bussy"),
        ({"fault": [{"kid": "busy"}]}, "kind"),
        ({"api": "vlm"}, "vllm"),
        ({"ttft_ms": -1}, "ttft_ms"),
        ({"tokens_per_event": 0}, "tokens_per_event"),
        ({"slots": "two"}, "slots"),
        ({"fault": 3}, "fault"),
    ],
)
def test_a_script_that_cannot_be_used_says_why(script: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as error:
        script_of(script)
    assert named in str(error.value)
