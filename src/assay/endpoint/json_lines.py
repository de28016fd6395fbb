"""JSON lines: one JSON value per line (Ollama)."""

from __future__ import annotations

from assay.endpoint.event_limit import check_event_size


class JsonLinesSplitter:
    """Splits at LF; blank lines are no events. A CR before the LF is white space of JSON."""

    def __init__(self) -> None:
        self._tail = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._tail += data
        if b"\n" not in data:
            check_event_size(len(self._tail))
            return []
        *lines, rest = bytes(self._tail).split(b"\n")
        self._tail = bytearray(rest)
        check_event_size(max(map(len, (*lines, rest))))
        return [line for line in lines if line.strip()]

    def close(self) -> list[bytes]:
        line, self._tail = bytes(self._tail), bytearray()
        return [line] if line.strip() else []
