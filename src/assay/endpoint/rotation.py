"""Several servers that share the queries: who is asked next, and who is asked no more.

The one with the fewest open requests is next. One that fails several times in a row leaves, so that a server which
refuses at once is not asked ever more because it has so few open ones.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

from assay.endpoint.address import Address
from assay.endpoint.connection import Connection
from assay.endpoint.exchange import Key
from assay.endpoint.failure import EndpointFailure, FailureKind

LEAVES_AFTER = 3
"""Failures in a row."""
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
"""Failures that another server might not have: what is refused as wrong would be refused by all."""


@dataclass
class Endpoint(Generic[Key]):
    """One server: what it was asked, and its idle connections."""

    address: Address
    head: bytes
    place: tuple[str, int]
    """Host and port with the name resolved."""
    tls: ssl.SSLContext | None
    asked: int = 0
    outstanding: int = 0
    failed_in_a_row: int = 0
    left: str = ""
    """Why it is asked no more; empty while it is."""
    connections: int = 0
    idle: list[Connection[Key]] = field(default_factory=list)

    @classmethod
    def at(cls, address: Address, path: str, token: str | None) -> Endpoint[Key]:
        """Resolves the name once. Raises: OSError."""
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        host, port = found[0][4][:2]
        return cls(address, address.head(path, token), (str(host), int(port)), address.tls())

    def request(self, body: bytes) -> bytes:
        return b"%s%d\r\n\r\n%s" % (self.head, len(body), body)


class Rotation(Generic[Key]):
    """Pure but for the counts of its endpoints. The last one that is left never leaves."""

    def __init__(self, endpoints: Sequence[Endpoint[Key]]) -> None:
        self._all = list(endpoints)

    def next(self, failed: Sequence[str] = ()) -> Endpoint[Key]:
        """Of those that are asked still, and have not failed this query: the one with the fewest open requests."""
        asked = [each for each in self._all if not each.left]
        fresh = [each for each in asked if each.address.text not in failed] if failed else asked
        return min(fresh or asked, key=lambda each: (each.outstanding, each.asked))

    def has_another(self, failed: Sequence[str]) -> bool:
        """Whether a server is left that has not failed this query."""
        return any(not each.left and each.address.text not in failed for each in self._all)

    def ended(self, endpoint: Endpoint[Key], failure: EndpointFailure | None) -> None:
        """A try at `endpoint` has ended."""
        if failure is None:
            endpoint.failed_in_a_row = 0
        elif failure.kind in OF_THE_SERVER:
            endpoint.failed_in_a_row += 1
            is_last = not any(not each.left for each in self._all if each is not endpoint)
            if endpoint.failed_in_a_row >= LEAVES_AFTER and not is_last:
                endpoint.left = f"{failure.kind.value} ({failure.detail})"
