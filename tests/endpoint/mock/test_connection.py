"""The mock's HTTP, byte by byte over a socket: what it takes, what it refuses, and what it does with its connection."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from assay.endpoint.apis import APIS
from assay.endpoint.arrivals import arrival_buffer
from assay.endpoint.mock.connection import MockConnection
from assay.endpoint.mock.script import MockScript
from assay.endpoint.mock.state import MockState
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from tests.mock_server import mock

BODY = APIS["vllm"].body(Prompt(ids=tuple(range(10, 30))), Sampling(max_tokens=3), "mock", None)
END = b"\r\n0\r\n\r\n"


def post(body: bytes = BODY, path: str = "/v1/completions", **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: m\r\n\r\n".encode()


@contextmanager
def client(**script: Any) -> Iterator[socket.socket]:
    with (
        mock(**script) as server,
        socket.create_connection((server.address.host, server.address.port), 10) as connection,
    ):
        yield connection


def until(connection: socket.socket, end: bytes) -> bytes:
    got = b""
    while not got.endswith(end):
        data = connection.recv(65536)
        assert data, f"closed after {got!r}"
        got += data
    return got


def plain(connection: socket.socket) -> tuple[int, str]:
    """Status and body of an answer with a length."""
    head = b""
    while b"\r\n\r\n" not in head:
        data = connection.recv(65536)
        assert data
        head += data
    head, _, body = head.partition(b"\r\n\r\n")
    size = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    while len(body) < size:
        body += connection.recv(65536)
    assert len(body) == size
    return int(head.split()[1]), body.decode()


def rest(connection: socket.socket) -> bytes:
    """Everything until the other end closes."""
    got = b""
    try:
        while data := connection.recv(65536):
            got += data
    except ConnectionResetError:
        got += b"RESET"
    return got


def log(connection: socket.socket) -> list[dict[str, Any]]:
    connection.sendall(get("/mock/log"))
    rows = json.loads(plain(connection)[1])
    assert isinstance(rows, list)
    return rows


def await_outcomes(connection: socket.socket, outcomes: list[str]) -> None:
    """Look at the log until it says so, for half a minute."""
    deadline = time.monotonic() + 30
    while (found := [row["outcome"] for row in log(connection)]) != outcomes:
        assert time.monotonic() < deadline, found


def test_a_request_may_come_in_any_pieces() -> None:
    whole = post(X_Request_Id="r-7")
    with client() as connection:
        for at in range(len(whole)):
            connection.sendall(whole[at : at + 1])
        got = until(connection, END)
        assert got.startswith(b"HTTP/1.1 200 OK\r\n") and b"data: [DONE]" in got
        (row,) = log(connection)
    assert (row["request_id"], row["outcome"], row["tokens"]) == ("r-7", "done", 3)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/health"), 200),
        (get("/health?x=1"), 200),
        (get("/nothing"), 404),
        (post(path="/nothing"), 404),
        (post(b"no json"), 400),
        (post(b"[]"), 400),
        (post(BODY.replace(b"[10", b"[99999999")), 400),
        (b"GARBAGE\r\n\r\n", 404),
        (b"DELETE /health HTTP/1.1\r\n\r\n", 404),
    ],
)
def test_a_request_that_cannot_be_answered_has_its_status_and_the_connection_goes_on(
    request_: bytes, status: int
) -> None:
    with client() as connection:
        connection.sendall(request_)
        assert plain(connection)[0] == status
        connection.sendall(post())
        assert until(connection, END)


@pytest.mark.parametrize(
    "line",
    ["Content-Length: 99999999999", "Content-Length: -1", "Content-Length: x", "Transfer-Encoding: chunked"],
)
def test_a_request_of_no_known_or_too_large_a_length_ends_the_connection(line: str) -> None:
    with client() as connection:
        connection.sendall(f"POST /v1/completions HTTP/1.1\r\n{line}\r\n\r\n".encode())
        assert plain(connection)[0] == 413
        assert rest(connection) == b""


def test_one_that_waits_to_be_let_go_on_is() -> None:
    with client() as connection:
        head, _, body = post(Expect="100-continue").partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert until(connection, END)


@pytest.mark.parametrize(
    ("header", "status"),
    [({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer k"}, 200)],
)
def test_the_key_lets_in(header: dict[str, str], status: int) -> None:
    with client(key="k") as connection:
        connection.sendall(post(**header))
        assert connection.recv(65536).startswith(f"HTTP/1.1 {status}".encode())


def test_while_it_loads_it_tells_its_log_alone() -> None:
    with client(loading_s=600) as connection:
        connection.sendall(get("/health"))
        assert plain(connection)[0] == 503
        assert log(connection) == []


@pytest.mark.parametrize(
    ("kind", "status", "waits"),
    [("busy", 429, True), ("unavailable", 503, True), ("error", 500, False), ("refuse", 400, False)],
)
def test_a_refusal_has_its_status_and_says_when_to_come_back(kind: str, status: int, waits: bool) -> None:
    with client(fault=[{"kind": kind, "requests": [1]}]) as connection:
        connection.sendall(post())
        got = until(connection, b"}}")
        assert got.startswith(f"HTTP/1.1 {status} ".encode()) and (b"Retry-After: 1" in got) is waits
        connection.sendall(post())
        assert until(connection, END)
        assert [row["outcome"] for row in log(connection)] == [kind, "done"]


@pytest.mark.parametrize(("kind", "end"), [("reset", b"RESET"), ("close", b"0\r\n\r\n")])
def test_a_stream_that_breaks_off_has_sent_what_came_before(kind: str, end: bytes) -> None:
    with client(fault=[{"kind": kind, "requests": [1], "after": 2}], keep_alive_s=0.2) as connection:
        connection.sendall(post())
        got = rest(connection)
        assert got.endswith(end) and got.count(b"data: ") <= 2
        assert b"[DONE]" not in got and (kind == "reset" or got.count(b"data: ") == 2)


def test_a_client_that_leaves_frees_its_slot_and_is_logged() -> None:
    with mock(slots=1, fault=[{"kind": "stall", "requests": [1]}]) as server:
        place = (server.address.host, server.address.port)
        with socket.create_connection(place, 10) as first:
            first.sendall(post())
            assert first.recv(65536).startswith(b"HTTP/1.1 200 OK")
            with socket.create_connection(place, 10) as second:
                second.sendall(post())
                first.close()
                assert until(second, END)
                assert [row["outcome"] for row in log(second)] == ["client left", "done"]


def test_one_that_leaves_while_it_waits_takes_no_slot() -> None:
    with mock(slots=1, fault=[{"kind": "stall", "requests": [1]}]) as server:
        place = (server.address.host, server.address.port)
        with socket.create_connection(place, 10) as first, socket.create_connection(place, 10) as last:
            first.sendall(post())
            assert first.recv(65536)
            with socket.create_connection(place, 10) as second:
                second.sendall(post())
                await_outcomes(last, ["open", "open"])
            await_outcomes(last, ["open", "client left"])
            first.close()
            last.sendall(post())
            assert until(last, END)


class Written(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.data, self.is_open = b"", True

    def write(self, data: Any) -> None:
        self.data += bytes(data)

    def close(self) -> None:
        self.is_open = False


async def answered(state: MockState, written: Written, *, paused: bool) -> MockConnection:
    """A connection that has had one request; what comes at once is written."""
    connection = MockConnection(state, arrival_buffer())
    connection.connection_made(written)
    if paused:
        connection.pause_writing()
    connection.data_received(post())
    for _ in range(5):
        await asyncio.sleep(0)
    return connection


def test_nothing_is_written_to_a_reader_that_cannot_take_it_and_the_rest_when_it_can() -> None:
    async def play() -> tuple[bytes, bytes]:
        state, written = MockState(MockScript(split_bytes=50)), Written()
        connection = await answered(state, written, paused=True)
        before = written.data
        connection.resume_writing()
        return before, written.data

    before, whole = asyncio.run(play())
    assert before.endswith(b"\r\n\r\n") and b"data: " not in before
    assert whole.startswith(before) and whole.endswith(END) and b"[DONE]" in whole


def test_a_prompt_that_is_cached_whole_does_not_wait_for_the_time_of_a_fresh_one() -> None:
    async def play(*, is_known: bool) -> bytes:
        state = MockState(MockScript(prefix_cache=True, ttft_ms=1e9))
        if is_known:
            state.prefixes.look_up(state.ask(BODY))
        written = Written()
        (await answered(state, written, paused=False)).connection_lost(None)
        return written.data

    assert asyncio.run(play(is_known=True)).endswith(END)
    assert not asyncio.run(play(is_known=False)).endswith(END)


def test_pieces_of_some_bytes_are_chunks_of_that_size() -> None:
    with client(split_bytes=5) as connection:
        connection.sendall(post())
        _, _, chunks = until(connection, END).partition(b"\r\n\r\n")
    sizes = [int(size, 16) for size in re.findall(rb"(?:^|\r\n)([0-9a-f]+)\r\n", chunks)]
    assert max(sizes) <= 5 < len(sizes)
