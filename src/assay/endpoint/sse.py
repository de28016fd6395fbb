"""Server-sent events, as browsers read them: https://html.spec.whatwg.org/multipage/server-sent-events.html

Two differences, for servers that do not keep to it: the last event counts also without its empty line, and the
field `error`, which llama.cpp sent up to 2025 in place of `data`, becomes a JSON object with that key.
"""

from __future__ import annotations

from assay.endpoint.event_limit import MAX_EVENT_BYTES, check_event_size

_BOM = b"\xef\xbb\xbf"
_PLAIN = b"data: "


class SseSplitter:
    """Gives the joined `data` lines of each event. Names and ids of events, and comments, are skipped."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> list[bytes]:
        """Lines end with LF, CRLF or CR. A CR ends its line at once; an LF directly after it is dropped."""
        if not (self._tail or self._data or self._after_cr) and data.endswith(b"\n\n"):
            whole = data[len(_PLAIN) : -2].split(b"\n\n" + _PLAIN)
            if self._is_plain(data, len(whole)):
                self._at_start = False
                return whole
        self._tail += self._with_lf(data)
        if b"\n" not in self._tail:
            check_event_size(len(self._tail))
            return []
        *lines, rest = bytes(self._tail).split(b"\n")
        self._tail = bytearray(rest)
        check_event_size(len(rest))
        return [event for line in lines if (event := self._line(line)) is not None]

    def close(self) -> list[bytes]:
        rest, self._tail = bytes(self._tail), bytearray()
        ends = (self._line(rest) if rest else None, self._line(b""))
        return [event for event in ends if event is not None]

    def _is_plain(self, data: bytes, events: int) -> bool:
        """Whether every line of `data` that is not empty is the only one of an event, and is `data: …`."""
        return (
            data.startswith(_PLAIN)
            and data.count(b"\n") == 2 * events
            and b"\r" not in data
            and len(data) <= MAX_EVENT_BYTES
        )

    def _with_lf(self, data: bytes) -> bytes:
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" not in data:
            return data
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _line(self, line: bytes) -> bytes | None:
        """The event that ends with this line, if one does."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            data, self._data, self._size = self._data, [], 0
            return b"\n".join(data) if data else None
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"error":
            value = b'{"error": ' + value + b"}"
        if name in (b"data", b"error"):
            self._size += len(value) + 1
            check_event_size(self._size)
            self._data.append(value)
        return None
