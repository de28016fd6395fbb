"""How a request to a server fails. Each kind is counted separately; no failure counts as a fast answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FailureKind(Enum):
    """Kinds that call for different action."""

    CONNECT = "connection refused or reset before any byte"
    BUSY = "refused because of load (HTTP 429)"
    LOADING = "not ready, or no longer (HTTP 503)"
    REQUEST = "the request is refused as wrong (HTTP 4xx)"
    SERVER = "the server reports an error (HTTP 5xx, or an error event)"
    CUT = "the stream broke off before its end"
    STALL = "no byte arrived within the time limit"
    TIMEOUT = "the answer took longer than the time limit"
    DAMAGED = "the stream is not what the protocol allows"
    ABORTED = "the server gave up on the answer"
    TOO_SHORT = "the answer has fewer tokens than LoadGen takes"
    CLIENT = "the process of Assay that carried it ended"
    TOKENS = "the token ids disagree with what the server states, or are not in the vocabulary"


@dataclass(frozen=True)
class EndpointFailure:
    """One failure. `detail` is foreign text of at most 500 characters without secrets. Only the terminal module
    prints it."""

    kind: FailureKind
    detail: str
    tokens_before: int = 0
    """Tokens that had arrived; a retry is honest only at 0."""


def refusal(status: int, detail: str) -> EndpointFailure:
    """The kind of failure that an HTTP status other than 200 means."""
    if status == 429:
        kind = FailureKind.BUSY
    elif status == 503:
        kind = FailureKind.LOADING
    else:
        kind = FailureKind.REQUEST if 300 <= status < 500 else FailureKind.SERVER
    return EndpointFailure(kind, f"HTTP {status}: {detail}"[:500])
