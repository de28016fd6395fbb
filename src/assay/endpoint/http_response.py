"""One HTTP/1.1 response, read as its bytes arrive: status, headers, and the body without its chunk framing.

httptools (llhttp, the parser of Node.js) cuts it; what it does not bound is bounded here, for a server is untrusted.
Source: RFC 9112, sections 4 to 7.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpResponseParser

MOST_HEADER_BYTES = 65_536
A_PAGE = (
    "the answer is a web page (text/html): is this the server itself, or is there a proxy or a login between?"
)


class BadResponse(ValueError):
    """The bytes that arrived are not an HTTP/1.1 response."""


class HttpResponse:
    """Call `feed` with the bytes that arrive. `is_whole` is true once the body has ended by its own framing."""

    def __init__(self) -> None:
        self.status: int | None = None
        """HTTP status; None until all headers have arrived."""
        self.is_whole = False
        self.keeps_alive = False
        """Whether the connection can carry another request."""
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._body: list[bytes] = []
        self._head_bytes = 0
        self._has_length = False
        self._coding = ""
        self._is_page = False

    def feed(self, data: bytes) -> bytes:
        """Returns the part of `data` that belongs to the body. Raises: BadResponse."""
        if self._parser is None:  # the response is whole: these bytes are none of it
            return b""
        if self.status is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise BadResponse(f"no HTTP/1.1 response: {error}: {data[:60]!r}") from None
        if self._coding and self.status == 200:
            raise BadResponse(compressed(self._coding))
        if self._is_page and self.status == 200:
            raise BadResponse(A_PAGE)
        if self.status is None and self._head_bytes > MOST_HEADER_BYTES:
            raise BadResponse("the headers have no end")
        if self.is_whole:
            self._parser = None  # each holds the other
        body, self._body = self._body, []
        return body[0] if len(body) == 1 else b"".join(body)

    def close(self) -> None:
        """Call it when the connection has closed. This ends a body without a stated length."""
        self.is_whole = self.is_whole or (self.status is not None and not self._has_length)
        self._parser = None

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._has_length = self._has_length or name.lower() in (b"content-length", b"transfer-encoding")
        if name.lower() == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            self._coding = value.decode("latin-1")
        if name.lower() == b"content-type" and value.lower().startswith(b"text/html"):
            self._is_page = True

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:  # it announces another head
            self._has_length = False
        elif not self.is_whole:
            self.status = status

    def on_body(self, body: bytes) -> None:
        if not self.is_whole:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self.status is not None and not self.is_whole:
            assert self._parser is not None
            self.is_whole, self.keeps_alive = True, self._parser.should_keep_alive()


def compressed(coding: str) -> str:
    """The fault of an answer with this Content-Encoding: compression holds tokens back until a block is full."""
    return f"the answer is compressed ({coding[:40]}), and identity was asked for: is there a proxy between?"
