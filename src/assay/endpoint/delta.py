"""What one event of an answer brings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import msgspec

from assay.endpoint.failure import EndpointFailure


class Finish(Enum):
    """Why an answer ended, with the same values for all servers."""

    STOP = "stop"
    """The answer ended with an end-of-sequence id or a stop sequence."""
    LENGTH = "length"
    """The answer reached max_tokens."""
    ABORT = "abort"
    """The server gave up. This is a failure, whatever the HTTP status was."""


@dataclass(frozen=True)
class Usage:
    """Token counts as the server states them. None means that it did not say; it does not mean 0."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


class Delta(msgspec.Struct, frozen=True, gc=False):
    """The new part of an answer in one event. An event may bring several tokens, or none. A Struct, because one is
    made for every token: a dataclass takes ten times as long."""

    ids: tuple[int, ...] = ()
    """New ids, exactly as the server sent them; always empty for a server that gives no ids (tier C)."""
    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None
    prompt_ids: tuple[int, ...] | None = None
    """The prompt ids that the server reports, where it reports them."""
    failure: EndpointFailure | None = None
    """An error inside the stream; HTTP status 200 came before it."""
    done: bool = False
    """The server says that the stream is complete (OpenAI's `[DONE]`). Not every server says so."""
