"""One request at a time, to servers that do not keep to what a server does."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from assay.endpoint import single
from assay.endpoint.apis import APIS
from assay.endpoint.failure import FailureKind

VLLM = APIS["vllm"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 13\r\n\r\n<html></html>"


@contextmanager
def says(first: bytes, then: bytes = b"") -> Iterator[single.ProbedServer]:
    """A server that answers one request with `first`, and says `then` again and again."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(first)
                while then and not over.wait(0.01):
                    connection.sendall(then)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield single.probed_server(f"http://127.0.0.1:{listening.getsockname()[1]}", None, 30)
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("first", "then"),
    [(HEAD, b": ping\n\n"), (HEAD, b"a"), (b"HTTP/1.1 200 OK\r\n", b"x"), (b"", b"H")],
    ids=["comments", "no newline", "a header", "a status"],
)
def test_an_answer_that_drips_without_end_is_ended(
    monkeypatch: pytest.MonkeyPatch, first: bytes, then: bytes
) -> None:
    monkeypatch.setattr(single, "WHOLE_AFTER", 0.02)
    with says(first, then) as server:
        failure = single.answer(server, VLLM, b"{}").failure
    assert failure is not None
    assert (failure.kind, failure.detail) == (FailureKind.TIMEOUT, "not whole after 0.6 s")


def test_a_fact_that_drips_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single, "WHOLE_AFTER", 0.02)
    with says(HEAD, b" ") as server, pytest.raises(TimeoutError, match="not whole after"):
        single.fact(server, "/v1/models")


def test_a_web_page_is_named_as_one() -> None:
    with says(PAGE) as server:
        failure = single.answer(server, VLLM, b"{}").failure
    assert failure is not None and failure.kind is FailureKind.DAMAGED
    assert "a web page (text/html)" in failure.detail


def test_a_certificate_that_is_refused_is_no_server_that_is_away() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    problem = single.unreachable("https://a:443", error)
    assert problem.message == "the certificate of https://a:443 is refused: self-signed certificate"
    assert "SSL_CERT_FILE" in problem.hint
    assert "no server answers at http://a:80" in single.unreachable("http://a:80", OSError("away")).message
