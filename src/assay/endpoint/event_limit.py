"""How much of one event is kept while its end is awaited: a server is not trusted."""

from __future__ import annotations

MAX_EVENT_BYTES = 16 * 2**20
"""SGLang's cumulative events of a 100,000 token answer have about 1 MB."""


class EventTooLong(ValueError):
    """An event has more than MAX_EVENT_BYTES."""


def check_event_size(size: int) -> None:
    """Raises EventTooLong."""
    if size > MAX_EVENT_BYTES:
        raise EventTooLong(f"an event of the answer has more than {MAX_EVENT_BYTES >> 20} MiB")
