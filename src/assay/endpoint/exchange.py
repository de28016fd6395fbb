"""One request to a server with its answer so far, and the limits for all requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from assay.endpoint.answer import AnswerStream

Key = TypeVar("Key")


@dataclass(frozen=True)
class ClientLimits:
    """Limits of one answer in seconds, and of the client."""

    silence_s: float = 120.0
    """Longest time without a new byte, in seconds."""
    answer_s: float = 3600.0
    connect_s: float = 10.0
    in_flight: int = 256
    retries: int = 0
    """How often a request is sent again after a failure before any byte."""


@dataclass
class Exchange(Generic[Key]):
    """`key`: chosen by the caller."""

    key: Key
    body: bytes
    make_answer: Callable[[], AnswerStream]
    """Makes a new answer for each try."""
    asked_ns: int
    """When the client received it, ns."""
    answer: AnswerStream = field(init=False)
    due_ns: int = 0
    """When it could first be sent, ns: when it was handed over, or when a place became free."""
    sent_ns: int = 0
    heard_ns: int = 0
    """When the last bytes arrived, or it was sent, ns."""
    is_stamped: bool = True
    """Whether the system's stamps tell when its bytes arrived. Else some have the time at which they were read."""
    retries: int = 0
    endpoint: str = ""
    """The server that answers it: its address as `Address.text`."""
    handed_over: list[str] = field(default_factory=list)
    """Addresses of the servers that failed it before another one took it."""
    is_first_told: bool = False
    is_done_told: bool = False

    def __post_init__(self) -> None:
        self.answer = self.make_answer()


Told = Callable[[Exchange[Key]], None]
