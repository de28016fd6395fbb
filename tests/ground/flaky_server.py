"""A local HTTP server that misbehaves on order: each request takes the next behaviour of a script."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["Handler"], None]


@dataclass
class Server:
    """`body` and `etag` are what it serves; `script` is used up first, then it behaves well."""

    body: bytes
    etag: str | None = '"v1"'
    script: list[Behaviour] = field(default_factory=list)
    requests: list[Message] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """Path -> body, for a server of several files."""
    port: int = 0

    def url(self, path: str = "/file.bin") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    served: Server
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.served.methods.append(self.command)
        self.served.requests.append(self.headers)
        self.served.paths.append(self.path)
        self.close_connection = True
        (self.served.script.pop(0) if self.served.script else good)(self)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests read `requests`."""

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()


def good(handler: Handler, upto: int | None = None) -> None:
    """Serve ranges as RFC 9110 says; `upto` cuts the body short after that many bytes."""
    served = handler.served
    body = served.files.get(handler.path, served.body)
    headers = {"ETag": served.etag} if served.etag else {}
    asked, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
    if asked and condition in (None, served.etag):
        first = int(asked.removeprefix("bytes=").removesuffix("-"))
        if first >= len(body):
            handler.head(416, Content_Range=f"bytes */{len(body)}", Content_Length="0")
            return
        rest = body[first:]
        span = f"bytes {first}-{len(body) - 1}/{len(body)}"
        handler.head(206, Content_Range=span, Content_Length=str(len(rest)), **headers)
    else:
        rest = body
        handler.head(200, Content_Length=str(len(rest)), **headers)
    if handler.command != "HEAD":
        handler.wfile.write(rest if upto is None else rest[:upto])


def truncated(size: int) -> Behaviour:
    return lambda handler: good(handler, upto=size)


def stalled(size: int, released: threading.Event) -> Behaviour:
    """Send `size` bytes, then nothing until `released`."""

    def behave(handler: Handler) -> None:
        good(handler, upto=size)
        handler.wfile.flush()
        released.wait(10)

    return behave


def status(code: int, **headers: str) -> Behaviour:
    return lambda handler: handler.head(code, Content_Length="0", **headers)


def changed(body: bytes, etag: str) -> Behaviour:
    """From this request on the server holds another file."""

    def behave(handler: Handler) -> None:
        handler.served.body, handler.served.etag = body, etag
        good(handler)

    return behave


@contextmanager
def serving(body: bytes = b"", *script: Behaviour) -> Iterator[Server]:
    served = Server(body, script=list(script))
    handler = type("Bound", (Handler,), {"served": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
