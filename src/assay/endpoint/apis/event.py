"""Reads the payload of an event into checked values. A server is not trusted: a wrong type raises `Malformed`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from assay.endpoint.delta import Delta
from assay.endpoint.failure import EndpointFailure, FailureKind

Fields = dict[str, Any]

MAX_ID = 2**31 - 1
"""LoadGen's logs hold ids as int32."""
MAX_COUNT = 2**31 - 1
"""Tokens of one prompt or answer: a choice, far above any context, and what every record can hold."""
_DETAIL = 500
DONE = b"[DONE]"
_BUSY = ("overloaded", "rate_limit_exceeded", 429, "429")
"""Error types and codes of TGI (`overloaded`) and OpenAI."""


class Malformed(ValueError):
    """An event that the API does not allow."""


def read_event(event: bytes, delta: Callable[[Fields], Delta]) -> Delta:
    """Apply `delta` to the JSON object in `event`; errors in the stream and damage become a failure."""
    if (bare := event.strip()) in (b"", DONE):
        return Delta(done=bool(bare))
    try:
        fields = json.loads(event)
        if not isinstance(fields, dict):
            raise Malformed("an event is no JSON object")
        return Delta(failure=failure) if (failure := _stated(fields)) else delta(fields)
    except (ValueError, RecursionError) as error:
        shown = event[:_DETAIL].decode(errors="replace")
        return Delta(failure=EndpointFailure(FailureKind.DAMAGED, f"{error}: {shown}"[:_DETAIL]))


def aborted(detail: str) -> EndpointFailure:
    return EndpointFailure(FailureKind.ABORTED, detail[:_DETAIL])


def ids_in(fields: Fields, key: str) -> tuple[int, ...] | None:
    """Token ids under `key`; None when the key is absent. Raises Malformed."""
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(type(one) is int and 0 <= one <= MAX_ID for one in value):
        raise Malformed(f"{key} is no list of token ids")
    return tuple(value)


def text_in(fields: Fields, key: str) -> str:
    """Text under `key`; empty when the key is absent. Raises Malformed."""
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{key} is no text")
    return value or ""


def count_in(fields: Fields, key: str) -> int | None:
    """A count under `key`; None when the key is absent: the count is unknown then, not 0. Raises Malformed."""
    value = fields.get(key)
    if value is not None and (type(value) is not int or not 0 <= value <= MAX_COUNT):
        raise Malformed(f"{key} is no count")
    return value


def object_in(fields: Fields, key: str) -> Fields:
    """An object under `key`; empty when the key is absent. Raises Malformed."""
    value = fields.get(key)
    if value is not None and not isinstance(value, dict):
        raise Malformed(f"{key} is no object")
    return value or {}


def first_choice(fields: Fields) -> Fields | None:
    """The one choice of an answer in OpenAI's form; None for an event without any, as usage comes. Raises Malformed."""
    choices = fields.get("choices") or []
    if not isinstance(choices, list) or len(choices) > 1 or not all(isinstance(one, dict) for one in choices):
        raise Malformed("choices is no list of at most one object")
    return choices[0] if choices else None


def _stated(fields: Fields) -> EndpointFailure | None:
    """The error that an event states, in any of the servers' forms."""
    error = fields.get("error")
    if error is None and fields.get("object") == "error":
        error = fields
    if not error:
        return None
    parts = error if isinstance(error, dict) else {"message": error}
    marks = (parts.get("type"), parts.get("code"), fields.get("error_type"))
    busy = any(type(mark) in (str, int) and mark in _BUSY for mark in marks)
    message = parts.get("message") or json.dumps(parts)
    return EndpointFailure(FailureKind.BUSY if busy else FailureKind.SERVER, str(message)[:_DETAIL])
