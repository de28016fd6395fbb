"""What one event of an answer brings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import msgspec

from assay.endpoint.failure import EndpointFailure


class Finish(Enum):
    """Why an answer ended, in one vocabulary for all servers."""

    STOP = "stop"
    """An end-of-sequence id or a stop sequence."""
    LENGTH = "length"
    """max_tokens was reached."""
    ABORT = "abort"
    """The server gave up: a failure, whatever the HTTP status was."""


@dataclass(frozen=True)
class Usage:
    """Token counts as the server states them. None = it did not say, which is not 0."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


class Delta(msgspec.Struct, frozen=True):
    """What is new in one event. An event may bring several tokens, or none.

    A Struct, as one is made for every token: a dataclass takes ten times as long."""

    ids: tuple[int, ...] = ()
    """New ids, exactly as the server sent them; always empty where a server gives none (tier C)."""
    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None
    prompt_ids: tuple[int, ...] | None = None
    """The prompt as the server saw it, where it tells."""
    failure: EndpointFailure | None = None
    """An error inside the stream; HTTP status 200 came before it."""
    done: bool = False
    """The server says that the stream is whole (OpenAI's `[DONE]`). Not every server says so."""
