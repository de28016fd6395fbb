"""How much of one unfinished event is kept in memory: a server is not trusted."""

from __future__ import annotations

MAX_EVENT_BYTES = 16 * 2**20
"""Bytes. SGLang's cumulative events reach about 1 MB with an answer of 100,000 tokens."""


class EventTooLong(ValueError):
    """An event of more than MAX_EVENT_BYTES."""


def check_event_size(size: int) -> None:
    """Raises EventTooLong."""
    if size > MAX_EVENT_BYTES:
        raise EventTooLong(f"an event of the answer has more than {MAX_EVENT_BYTES >> 20} MiB")
