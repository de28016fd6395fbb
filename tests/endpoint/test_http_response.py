from __future__ import annotations

import pytest

from assay.endpoint.http_response import BadResponse, HttpResponse

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=1\r\nhel\r\n\r\nA\r\nlo 0123456\r\n0\r\nTrailer: 1\r\n\r\n"
)
LENGTH = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Busy\r\nContent-Length: 4\r\n\r\nbusy"


@pytest.mark.parametrize(
    ("data", "status", "body"), [(CHUNKED, 200, b"hel\r\nlo 0123456"), (LENGTH, 429, b"busy")]
)
def test_a_response_is_read_the_same_wherever_the_network_cuts_it(
    data: bytes, status: int, body: bytes
) -> None:
    for size in (1, 2, 3, 7, len(data)):
        response = HttpResponse()
        parts = [data[i : i + size] for i in range(0, len(data), size)]
        assert b"".join(map(response.feed, parts)) == body
        assert (response.status, response.is_whole, response.keeps_alive) == (status, True, True)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    response = HttpResponse()
    assert response.feed(b"HTTP/1.0 200 OK\r\n\r\nabc") == b"abc"
    assert not response.is_whole
    response.close()
    assert response.is_whole and not response.keeps_alive


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_response_is_refused(data: bytes) -> None:
    with pytest.raises(BadResponse):
        HttpResponse().feed(data)


def test_bytes_after_a_whole_response_are_none_of_it() -> None:
    response = HttpResponse()
    assert response.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab") == b"ab"
    assert response.feed(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\ncd") == b""
    assert (response.status, response.is_whole) == (200, True)
    together = HttpResponse()
    assert together.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 500 No\r\n\r\nx") == b"a"
    assert together.status == 200


@pytest.mark.parametrize("said", [b"Connection: close\r\n", b""])
def test_a_connection_is_asked_again_unless_the_server_closes_it(said: bytes) -> None:
    response = HttpResponse()
    response.feed(b"HTTP/1.1 200 OK\r\n" + said + b"Content-Length: 1\r\n\r\na")
    assert response.is_whole and response.keeps_alive is (not said)


def test_a_web_page_is_no_answer_and_an_error_page_may_be_one() -> None:
    page = b"Content-Type: Text/HTML\r\nContent-Length: 4\r\n\r\n<b/>"
    with pytest.raises(BadResponse, match="a web page"):
        HttpResponse().feed(b"HTTP/1.1 200 OK\r\n" + page)
    assert HttpResponse().feed(b"HTTP/1.1 502 Bad Gateway\r\n" + page) == b"<b/>"
