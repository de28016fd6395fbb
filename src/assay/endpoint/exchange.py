"""One request to a server and what has come of it; the limits that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from assay.endpoint.answer import AnswerStream

Key = TypeVar("Key")


@dataclass(frozen=True)
class ClientLimits:
    """Of one answer, in seconds, and of the client."""

    silence_s: float = 120.0
    """Longest time without a byte."""
    answer_s: float = 3600.0
    connect_s: float = 10.0
    in_flight: int = 256
    retries: int = 0
    """How often a request is sent again after a failure before any byte."""


@dataclass
class Exchange(Generic[Key]):
    """`key` is the caller's own."""

    key: Key
    body: bytes
    make_answer: Callable[[], AnswerStream]
    """Fresh, for each try."""
    asked_ns: int
    """When it was handed to the client."""
    answer: AnswerStream = field(init=False)
    due_ns: int = 0
    """When it could first be sent: as it was asked, or as a place became free."""
    sent_ns: int = 0
    heard_ns: int = 0
    retries: int = 0
    endpoint: str = ""
    """Who answers it: the address as `Address.text` has it."""
    handed_over: list[str] = field(default_factory=list)
    """The addresses that failed it before another one took it."""
    is_first_told: bool = False
    is_done_told: bool = False

    def __post_init__(self) -> None:
        self.answer = self.make_answer()


Told = Callable[[Exchange[Key]], None]
