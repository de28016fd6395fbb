from __future__ import annotations

import socket
from typing import Any

import pytest

from assay.endpoint.address import parse
from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.endpoint.rotation import LEAVES_AFTER, Endpoint, Rotation

GONE = EndpointFailure(FailureKind.CONNECT, "refused")
BUSY = EndpointFailure(FailureKind.BUSY, "HTTP 429")


def endpoint(port: int, outstanding: int = 0) -> Endpoint[Any]:
    return Endpoint(parse(f"127.0.0.1:{port}"), b"", ("127.0.0.1", port), None, outstanding=outstanding)


def test_the_server_with_the_fewest_open_requests_is_next_and_else_the_one_asked_least() -> None:
    one, two = endpoint(1, 2), endpoint(2, 1)
    rotation = Rotation([one, two])
    assert rotation.next() is two
    one.outstanding, one.asked = 1, 5
    assert rotation.next() is two
    assert rotation.next(failed=[two.address.text]) is one


def test_a_server_leaves_after_some_failures_in_a_row_and_the_last_one_stays() -> None:
    one, two = endpoint(1), endpoint(2, outstanding=50)
    rotation = Rotation([one, two])
    for _ in range(LEAVES_AFTER - 1):
        rotation.ended(one, GONE)
    rotation.ended(one, None)  # it answers still
    for _ in range(LEAVES_AFTER):
        assert rotation.next() is one
        rotation.ended(one, GONE)
    assert rotation.next() is two and one.left == f"{GONE.kind.value} (refused)"
    for _ in range(9):
        rotation.ended(two, GONE)
    assert rotation.next() is two and not two.left


def test_load_and_requests_that_are_wrong_send_no_server_away() -> None:
    one, two = endpoint(1), endpoint(2)
    rotation = Rotation([one, two])
    for _ in range(9):
        rotation.ended(one, BUSY)
        rotation.ended(one, EndpointFailure(FailureKind.REQUEST, "HTTP 400"))
    assert not one.left


def test_a_query_has_another_server_until_all_have_failed_it() -> None:
    rotation = Rotation([endpoint(1), endpoint(2)])
    assert rotation.has_another(["http://127.0.0.1:1"])
    assert not rotation.has_another(["http://127.0.0.1:1", "http://127.0.0.1:2"])


def test_of_the_addresses_of_a_name_the_first_that_takes_a_connection_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed, socket.create_server(("127.0.0.1", 0)) as open_:
        gone, here = closed.getsockname(), open_.getsockname()
        closed.close()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in (gone, here)]
        real = socket.getaddrinfo

        def resolved(host: str, *more: Any, **named: Any) -> Any:
            return found if host == "localhost" else real(host, *more, **named)

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        at: Endpoint[Any] = Endpoint.at(parse("localhost:1"), "/", None)
    assert at.place == here
    at = Endpoint.at(parse("localhost:1"), "/", None)  # none does
    assert at.place == gone


class Kept:
    """As much of a connection as a server's list of them looks at."""

    def __init__(self, idle_since: float, is_open: bool = True) -> None:
        self.idle_since, self.is_open = idle_since, is_open

    def close(self) -> None:
        self.is_open = False


def test_the_connection_used_longest_ago_is_next_so_that_all_stay_in_use() -> None:
    one = endpoint(1)
    old, gone, fresh, fresher = Kept(1.0), Kept(5.0, is_open=False), Kept(6.0), Kept(7.0)
    one.idle += [old, gone, fresh, fresher]  # type: ignore[list-item]
    assert one.kept(since=2.0) is fresh and not old.is_open
    assert one.kept(since=2.0) is fresher
    assert one.kept(since=2.0) is None
