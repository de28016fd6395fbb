"""Sends one request after another, each on its own connection: for probes. Load needs the client of
`endpoint.client`."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from assay.endpoint.address import Address, parse
from assay.endpoint.api import Api
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.event_limit import EventTooLong
from assay.endpoint.failure import EndpointFailure, FailureKind, refusal
from assay.endpoint.framing import splitter
from assay.endpoint.http_response import A_PAGE, compressed
from assay.ground.errors import EnvironmentProblem

_READ = 65536
_MAX_FACT = 4 * 2**20
WHOLE_AFTER = 10
"""The longest answer takes so many times the longest silence: one that drips has an end too. A choice."""


class TooLong(TimeoutError):
    """An answer that has no end."""


@dataclass(frozen=True)
class ProbedServer:
    """A server: its address and the bearer token (never printed)."""

    address: Address
    key: str | None = None
    timeout_s: float = 60.0

    @property
    def text(self) -> str:
        return self.address.text

    def __repr__(self) -> str:
        return f"ProbedServer({self.text})"


@dataclass(frozen=True)
class SingleAnswer:
    """One whole answer. Times are seconds after the request was sent."""

    deltas: tuple[Delta, ...]
    failure: EndpointFailure | None
    first_byte_s: float
    end_s: float

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(one for delta in self.deltas for one in delta.ids)

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.deltas)

    @property
    def finish(self) -> Finish | None:
        return next((delta.finish for delta in self.deltas if delta.finish), None)

    @property
    def usage(self) -> Usage:
        """The last usage that was stated."""
        return next((delta.usage for delta in reversed(self.deltas) if delta.usage), Usage())

    @property
    def prompt_ids(self) -> tuple[int, ...] | None:
        return next((delta.prompt_ids for delta in self.deltas if delta.prompt_ids), None)


def probed_server(url: str, key: str | None = None, timeout_s: float = 60.0) -> ProbedServer:
    """Raises ConfigError as `address.parse`."""
    return ProbedServer(parse(url), key, timeout_s)


def fact(server: ProbedServer, path: str) -> tuple[int, str]:
    """Status and body of GET `path`. Raises OSError or HTTPException when the server does not answer."""
    with _request(server, "GET", path, b"") as response:
        return response.status, response.read(_MAX_FACT).decode(errors="replace")


def unreachable(server: str, error: Exception) -> EnvironmentProblem:
    """The error for the server at an address of which `fact` got nothing."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return EnvironmentProblem(
            f"the certificate of {server} is refused: {error.verify_message}",
            "the address by the name in the certificate, or SSL_CERT_FILE=FILE with the certificate of who signed it",
        )
    said = str(error) or type(error).__name__
    return EnvironmentProblem(
        f"no server answers at {server}: {said:.200}", "start the server; is the address right?"
    )


def answer(server: ProbedServer, api: Api, body: bytes) -> SingleAnswer:
    """Sends one request and reads its whole answer. Failures are values; nothing is raised."""
    start = time.monotonic()
    split, reader = splitter(api.framing), api.reader()
    deltas: list[Delta] = []
    first = 0.0
    failure: EndpointFailure | None = None
    try:
        with _request(server, "POST", api.path, body) as response:
            failure = _refused(response)
            while failure is None and (data := response.read1(_READ)):
                first = first or time.monotonic() - start
                deltas += map(reader.feed, split.feed(data))
        deltas += map(reader.feed, split.close())
    except TooLong as error:
        failure = EndpointFailure(FailureKind.TIMEOUT, str(error))
    except TimeoutError:
        failure = EndpointFailure(FailureKind.STALL, f"no byte for {server.timeout_s:g} s")
    except EventTooLong as error:
        failure = EndpointFailure(FailureKind.DAMAGED, str(error))
    except (OSError, http.client.HTTPException) as error:
        failure = EndpointFailure(FailureKind.CUT if first else FailureKind.CONNECT, f"{error!r}"[:500])
    failure = failure or next((delta.failure for delta in deltas if delta.failure), None)
    if failure is None and not any(delta.finish or delta.done for delta in deltas):
        failure = EndpointFailure(FailureKind.CUT, "the stream ended without a finish reason")
    return SingleAnswer(tuple(deltas), failure, first, time.monotonic() - start)


def _refused(response: http.client.HTTPResponse) -> EndpointFailure | None:
    """Why the body is no stream of an answer; None where it may be one."""
    if response.status != 200:
        return refusal(response.status, _message(response.read(_READ)))
    if (coding := response.getheader("Content-Encoding", "identity")) != "identity":
        return EndpointFailure(FailureKind.DAMAGED, compressed(coding))
    if response.getheader("Content-Type", "").lower().startswith("text/html"):
        return EndpointFailure(FailureKind.DAMAGED, A_PAGE)
    return None


@contextmanager
def _request(server: ProbedServer, method: str, path: str, body: bytes) -> Iterator[http.client.HTTPResponse]:
    where, tls = server.address, server.address.tls()
    connection: http.client.HTTPConnection
    if tls is None:
        connection = http.client.HTTPConnection(where.host, where.port, timeout=server.timeout_s)
    else:
        connection = http.client.HTTPSConnection(
            where.host, where.port, timeout=server.timeout_s, context=tls
        )
    headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    longest_s, over = WHOLE_AFTER * server.timeout_s, threading.Event()

    def end() -> None:
        over.set()
        with suppress(OSError):  # it has ended by itself
            carrier.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(longest_s, end)
    clock.daemon = True
    try:
        connection.connect()
        carrier = connection.sock
        clock.start()
        connection.request(method, where.prefix + path, body or None, headers)
        with connection.getresponse() as response:
            yield response
    except (OSError, http.client.HTTPException):
        if not over.is_set():
            raise
    finally:
        clock.cancel()
        connection.close()
    if over.is_set():
        raise TooLong(f"not whole after {longest_s:g} s")


def _message(body: bytes) -> str:
    """The message of a server's error response: its `message` field where it is JSON."""
    text = body.decode(errors="replace")
    try:
        fields: Any = json.loads(text)
        error = fields.get("error", fields)
        return str(error.get("message") or error) if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError, RecursionError):
        return " ".join(text.split())
