"""HTTP/1.1 on asyncio's own transport: one request after another, answers as chunks at their times."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time

from assay.endpoint.apis import APIS
from assay.endpoint.arrivals import Arrivals
from assay.endpoint.mock.answer import LAST_CHUNK, MockAnswer
from assay.endpoint.mock.ask import BadAsk
from assay.endpoint.mock.facts import fact
from assay.endpoint.mock.script import FaultKind, MockFault
from assay.endpoint.mock.state import LogRow, MockState

_MAX_REQUEST = 64 * 2**20
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_GZIP_HEAD = _HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n"
_STATUS = {FaultKind.BUSY: 429, FaultKind.UNAVAILABLE: 503, FaultKind.ERROR: 500, FaultKind.REFUSE: 400}
_BREAKS = (FaultKind.RESET, FaultKind.CLOSE, FaultKind.STALL)


class MockConnection(Arrivals):
    def __init__(self, state: MockState, buffer: memoryview) -> None:
        super().__init__(buffer)
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._row: LogRow | None = None
        self._answer: MockAnswer | None = None
        self._fault: MockFault | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._prompt_share = 1.0
        self._is_known = False
        self._at = 0
        self._due = 0.0
        self._paused = False

    # -- the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._row is not None:
            self._end("client left", keep=False)
        elif self._timer:
            self._timer.cancel()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._answer is not None and self._timer is None:
            self._play()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._row is None:
            self._next_request()

    # -- requests

    def _await_request(self) -> None:
        if (idle := self._state.script.keep_alive_s) > 0:
            self._timer = self._loop.call_later(idle, self._transport.close)

    def _next_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = bytes(self._buffer[:end]).split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        stated = headers.get(b"content-length", b"0")
        size = int(stated) if stated.isdigit() and len(stated) < 12 else _MAX_REQUEST + 1
        if size > _MAX_REQUEST or b"transfer-encoding" in headers:
            self._respond(413, "the mock wants a Content-Length of at most 64 MiB")
            self._transport.close()
            return
        if len(self._buffer) < end + 4 + size:
            if headers.get(b"expect") == b"100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        body = bytes(self._buffer[end + 4 : end + 4 + size])
        del self._buffer[: end + 4 + size]
        if self._timer:
            self._timer.cancel()
            self._timer = None
        method, _, path = first.decode("latin-1").rpartition(" ")[0].partition(" ")
        self._handle(method, path.partition("?")[0], headers, body)

    def _handle(self, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> None:
        script = self._state.script
        if path != "/mock/log" and self._state.is_loading:
            return self._respond(503, "loading model")
        if script.key and headers.get(b"authorization") != b"Bearer " + script.key.encode():
            return self._respond(401, "the key is wrong or missing")
        if method == "POST" and path == APIS[script.api].path:
            return self._generate(headers, body)
        found = fact(self._state, path) if method == "GET" else None
        return self._respond(404, "not found") if found is None else self._send(200, found.encode())

    def _generate(self, headers: dict[bytes, bytes], body: bytes) -> None:
        state = self._state
        row = state.open_row(headers.get(b"x-request-id", b"").decode("latin-1"))
        self._fault = fault = state.script.fault_of(row.number)
        if fault and fault.kind in _STATUS:
            row.outcome = fault.kind.value
            return self._respond(_STATUS[fault.kind], "scripted")
        try:
            ask = state.ask(body)
        except BadAsk as error:
            row.outcome = "refused"
            return self._respond(400, str(error))
        cached = state.prefixes.look_up(ask) if state.script.prefix_cache else 0
        state.prompt_tokens += len(ask.prompt_ids)
        self._prompt_share = 1 - cached / max(1, len(ask.prompt_ids))
        if cached and cached >= len(ask.prompt_ids) - 16:
            self._prompt_share = 0.0
        self._is_known = state.is_repeated(ask)
        self._row = row
        self._answer = state.answer(body, ask, cached, fault)
        return state.enter(self._begin)

    # -- answers

    def _begin(self) -> None:
        script = self._state.script
        fresh, reused = script.ttft_ms, min(script.ttft_ms, script.ttft_cached_ms)
        self._at = 0
        wait_ms = 0 if self._is_known else reused + (fresh - reused) * self._prompt_share
        self._due = self._loop.time() + wait_ms / 1000
        self._transport.write(_GZIP_HEAD if script.gzip else _HEAD)
        if self._due > self._loop.time():
            self._timer = self._loop.call_at(self._due, self._play)
        else:
            self._play()

    def _pace(self) -> float:
        """Seconds between tokens, which more streams may slow down."""
        if self._is_known:
            return 0.0
        script = self._state.script
        return (script.tpot_ms + script.tpot_ms_per_stream * self._state.streams) / 1000

    def _play(self) -> None:
        """Write all that is due, then wait for the next time."""
        self._timer = None
        answer, row = self._answer, self._row
        assert answer is not None and row is not None
        pace = self._pace()
        if not row.first_ns:
            row.first_ns = time.monotonic_ns()
            if not pace and not self._fault and answer.pieces and not self._state.script.split_bytes:
                self._transport.write(answer.pieces[0].data + answer.rest + LAST_CHUNK)
                row.tokens = answer.tokens
                self._end("done", keep=True)
                return
        while self._at < len(answer.pieces):
            piece = answer.pieces[self._at]
            if self._fault and self._fault.kind in _BREAKS and piece.tokens > self._fault.after:
                self._break(self._fault.kind)
                return
            if self._paused:
                return
            if self._due > self._loop.time():
                self._timer = self._loop.call_at(self._due, self._play)
                return
            self._transport.write(piece.data)
            row.tokens = piece.tokens
            self._at += 1
            if self._at < len(answer.pieces):
                # At the pace of now: a stream that comes later slows later tokens.
                came = max(piece.tokens, self._state.script.first_event_tokens)
                self._due += max(0, answer.pieces[self._at].tokens - came) * pace
        self._transport.write(LAST_CHUNK)
        self._end("done" if self._fault is None else self._fault.kind.value, keep=True)

    def _break(self, kind: FaultKind) -> None:
        if kind is FaultKind.STALL:  # the slot stays taken until the client leaves
            self._answer = None
        elif kind is FaultKind.CLOSE:
            self._transport.write(LAST_CHUNK)
            self._end(kind.value, keep=True)
        else:
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end(kind.value, keep=False)
            self._transport.abort()

    def _end(self, outcome: str, *, keep: bool) -> None:
        row, self._row, self._answer = self._row, None, None
        assert row is not None
        row.last_ns, row.outcome = time.monotonic_ns(), outcome
        self._state.generation_tokens += row.tokens
        self._state.successes += outcome == "done"
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._state.give_up(self._begin):
            self._state.leave()
        if keep:
            self._await_request()
            if self._buffer:
                self._loop.call_soon(self._next_request)

    def _respond(self, status: int, message: str) -> None:
        self._send(status, json.dumps({"error": {"message": message, "code": status}}).encode())

    def _send(self, status: int, body: bytes) -> None:
        after = "Retry-After: 1\r\n" if status in (429, 503) else ""
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{after}Content-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)
        self._await_request()
        if self._buffer:
            self._loop.call_soon(self._next_request)
