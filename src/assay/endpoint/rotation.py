"""Several servers that share the queries: which one gets the next query, and which one gets no more.

The server with the fewest open requests is next. A server that fails several times in a row is removed. Otherwise a
server that refuses at once would get more and more queries, because it has so few open ones.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic

from assay.endpoint.address import Address
from assay.endpoint.connection import Connection
from assay.endpoint.exchange import Key
from assay.endpoint.failure import EndpointFailure, FailureKind

REACH_S = 3.0
"""Seconds until an address that does not answer is passed over. A choice."""
LEAVES_AFTER = 3
"""Failures in a row after which a server is removed."""
OF_THE_SERVER = frozenset(
    {
        FailureKind.CONNECT,
        FailureKind.SERVER,
        FailureKind.LOADING,
        FailureKind.CUT,
        FailureKind.STALL,
        FailureKind.TIMEOUT,
    }
)
"""Kinds of failure that another server might not have. All servers would refuse a request that is wrong."""


@dataclass
class Endpoint(Generic[Key]):
    """One server: its requests and its idle connections."""

    address: Address
    head: bytes
    place: tuple[str, int]
    """Host and port, with the name resolved to an address."""
    tls: ssl.SSLContext | None
    asked: int = 0
    outstanding: int = 0
    failed_in_a_row: int = 0
    left: str = ""
    """Why it was removed; empty while it takes part."""
    connections: int = 0
    idle: deque[Connection[Key]] = field(default_factory=deque)
    """The one that was used longest ago is first."""

    @classmethod
    def at(cls, address: Address, path: str, token: str | None) -> Endpoint[Key]:
        """Resolves the name once. Raises: OSError."""
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        places = list(dict.fromkeys((str(each[4][0]), int(each[4][1])) for each in found))
        return cls(address, address.head(path, token), _reached(places), address.tls())

    def kept(self, since: float) -> Connection[Key] | None:
        """The connection that was used longest ago, so that all of them stay in use; None if none was used after
        `since`, in seconds of the monotonic clock."""
        while self.idle:
            kept = self.idle.popleft()
            if kept.is_open and kept.idle_since > since:
                return kept
            kept.close()
        return None

    def request(self, body: bytes) -> bytes:
        return b"%s%d\r\n\r\n%s" % (self.head, len(body), body)


def _reached(places: Sequence[tuple[str, int]]) -> tuple[str, int]:
    """The first that takes a connection, else the first: where `localhost` is ::1 too, most servers have 127.0.0.1."""
    for place in places if len(places) > 1 else ():
        with suppress(OSError), socket.create_connection(place, REACH_S):
            return place
    return places[0]


class Rotation(Generic[Key]):
    """Pure, except for the counts of its endpoints. The last server is never removed."""

    def __init__(self, endpoints: Sequence[Endpoint[Key]]) -> None:
        self._all = list(endpoints)

    def next(self, failed: Sequence[str] = ()) -> Endpoint[Key]:
        """The server for this query: of those that take part and have not failed it, the one with the fewest open
        requests."""
        asked = [each for each in self._all if not each.left]
        fresh = [each for each in asked if each.address.text not in failed] if failed else asked
        return min(fresh or asked, key=lambda each: (each.outstanding, each.asked))

    def has_another(self, failed: Sequence[str]) -> bool:
        """Whether some server has not failed this query."""
        return any(not each.left and each.address.text not in failed for each in self._all)

    def ended(self, endpoint: Endpoint[Key], failure: EndpointFailure | None) -> None:
        """Call it when a try at `endpoint` has ended."""
        if failure is None:
            endpoint.failed_in_a_row = 0
        elif failure.kind in OF_THE_SERVER:
            endpoint.failed_in_a_row += 1
            is_last = not any(not each.left for each in self._all if each is not endpoint)
            if endpoint.failed_in_a_row >= LEAVES_AFTER and not is_last:
                endpoint.left = f"{failure.kind.value} ({failure.detail})"
