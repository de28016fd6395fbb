"""One HTTP/1.1 response, read as its bytes arrive: status, headers, and the body without its chunk framing.

asyncio has no HTTP client, and one that waits for whole lines would stamp times late. Bounded: a server is untrusted.
Source: RFC 9112, sections 4 to 7.
"""

from __future__ import annotations

from collections.abc import Mapping

MOST_HEADER_BYTES = 65_536
MOST_LINE_BYTES = 1_024
"""Of a chunk's size line."""
MOST_SIZE_DIGITS = 12


class BadResponse(ValueError):
    """What arrived is no HTTP/1.1 response."""


class HttpResponse:
    """`feed` what arrives; `is_whole` once the body has ended by its own framing."""

    def __init__(self) -> None:
        self.status: int | None = None
        """None until the headers are whole."""
        self.headers: Mapping[str, str] = {}
        """Names in lower case; the last of several of one name."""
        self.is_whole = False
        self._held = bytearray()
        self._left: int | None = None
        """Bytes of the body, or of this chunk, that are to come; None = until the connection closes."""
        self._is_chunked = self._is_in_chunk = self._is_last_chunk = False
        self._is_http_1_0 = False

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can be asked again. Meaningful once `is_whole`."""
        said = self.headers.get("connection", "").lower()
        return self.is_whole and "close" not in said and (not self._is_http_1_0 or "keep-alive" in said)

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in `data`. Raises: BadResponse."""
        self._held += data
        if self.status is None and not self._read_head():
            return b""
        return self._read_chunks() if self._is_chunked else self._read_plain()

    def close(self) -> None:
        """The connection has closed: the end of a body that says no length."""
        if self.status is not None and not self._is_chunked and self._left is None:
            self.is_whole = True

    def _read_head(self) -> bool:
        while True:
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                if len(self._held) > MOST_HEADER_BYTES:
                    raise BadResponse("the headers have no end")
                return False
            first, *lines = bytes(self._held[:end]).decode("latin-1").split("\r\n")
            del self._held[: end + 4]
            status = _status(first)
            if status >= 200:  # what is below announces another head
                break
        pairs = [line.partition(":") for line in lines]
        self.status = status
        self._is_http_1_0 = first.startswith("HTTP/1.0")
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self._is_chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        length = self.headers.get("content-length")
        if status in (204, 304):
            self._left = 0
        elif length is not None and not self._is_chunked:
            self._left = _size(length, 10)
        return True

    def _read_plain(self) -> bytes:
        size = len(self._held) if self._left is None else min(self._left, len(self._held))
        body = bytes(self._held[:size])
        del self._held[:size]
        if self._left is not None:
            self._left -= size
            self.is_whole = self._left == 0
        return body

    def _read_chunks(self) -> bytes:
        body, held = bytearray(), self._held
        while not self.is_whole:
            if self._is_in_chunk:
                assert self._left is not None
                part = held[: self._left]
                body += part
                del held[: len(part)]
                self._left -= len(part)
                if self._left:
                    break
                self._is_in_chunk = False
                self._left = -1  # the line end after a chunk is due
            end = held.find(b"\r\n")
            if end < 0:
                if len(held) > MOST_LINE_BYTES:
                    raise BadResponse("a chunk has no size")
                break
            line = bytes(held[:end])
            del held[: end + 2]
            if self._is_last_chunk:
                self.is_whole = not line  # else it is a trailer
            elif self._left == -1:
                if line:
                    raise BadResponse("a chunk is longer than its size")
                self._left = None
            else:
                self._left = _size(line.partition(b";")[0].decode("latin-1"), 16)
                self._is_last_chunk, self._is_in_chunk = self._left == 0, self._left > 0
        return bytes(body)


def _status(line: str) -> int:
    words = line.split(" ", 2)
    if (
        len(words) < 2
        or not words[0].startswith("HTTP/1.")
        or not (words[1].isascii() and words[1].isdigit())
    ):
        raise BadResponse(f"no HTTP/1.1 status line: {line[:60]!r}")
    return int(words[1][:3])


def _size(text: str, base: int) -> int:
    digits = text.strip()
    if not digits.isalnum() or len(digits) > MOST_SIZE_DIGITS:
        raise BadResponse(f"no size: {digits[:40]!r}")
    try:
        return int(digits, base)
    except ValueError:
        raise BadResponse(f"no size: {digits[:40]!r}") from None
