"""A small vLLM: /v1/models and streamed /v1/completions with token ids, and one scripted fault."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], list[int]]


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def choice(ids: list[int], finish: str | None = None) -> bytes:
    return event(choices=[{"index": 0, "text": "", "token_ids": ids, "finish_reason": finish}])


class _Many(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client may leave at any time."""


class TinyServer:
    """`answer`: request -> ids. `fault`: what goes wrong from the request `faulty_from` on; see `Handler.events`."""

    def __init__(
        self,
        answer: Answer,
        fault: str = "",
        faulty_from: int = 0,
        cached: Callable[[dict[str, Any]], int] | None = None,
        port: int = 0,
    ) -> None:
        self.cached = cached
        self.answer, self.fault, self.faulty_from = answer, fault, faulty_from
        self.model: dict[str, str] = {"id": "tiny"}
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        server = self

        class Handler(_Handler):
            tiny = server

        self._http = _Many(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> TinyServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    tiny: TinyServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.tiny.connections += 1

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.whole(200, {"data": [self.tiny.model]} if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = len(self.tiny.requests)
        self.tiny.requests.append(request)
        self.tiny.headers.append(dict(self.headers.items()))
        fault = self.tiny.fault if number >= self.tiny.faulty_from else ""
        if fault.isdigit():
            return self.whole(int(fault), {"message": "no"})
        if fault == "reset":
            self.close_connection = True
            return None
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in self.events(request, fault):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
        if fault in ("cut", "stall"):
            time.sleep(2.0 if fault == "stall" else 0.0)
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")
        return None

    def events(self, request: dict[str, Any], fault: str) -> Iterator[bytes]:
        ids = self.tiny.answer(request)[: request["max_tokens"]]
        ids = ids[:1] if fault == "short" else ids
        yield b": comment\n\n"
        for i, token in enumerate(ids):
            if fault in ("cut", "stall") and i == 1:
                return
            if fault == "error" and i == 1:
                yield event(error={"message": "out of memory", "code": 500})
                return
            last = "length" if len(ids) == request["max_tokens"] and token != 2 else "stop"
            last = "abort" if fault == "abort" else last
            yield choice([token], last if i == len(ids) - 1 else None)
        usage: dict[str, Any] = {"prompt_tokens": len(request["prompt"]), "completion_tokens": len(ids)}
        usage["completion_tokens"] += fault == "lies"
        usage["prompt_tokens"] += fault == "bos"
        if self.tiny.cached is not None:
            usage["prompt_tokens_details"] = {"cached_tokens": self.tiny.cached(request)}
        yield event(choices=[], usage=usage)
        yield b"data: [DONE]\n\n"

    def whole(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
