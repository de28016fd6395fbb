"""Cuts the bytes of an answer into events, wherever the network cut them."""

from __future__ import annotations

from typing import Protocol

from assay.endpoint.api import Framing
from assay.endpoint.json_lines import JsonLinesSplitter
from assay.endpoint.sse import SseSplitter


class Splitter(Protocol):
    """Takes bytes and gives the payloads of whole events. Both methods raise `EventTooLong`."""

    def feed(self, data: bytes) -> list[bytes]:
        """Payloads of the events that end inside `data`."""

    def close(self) -> list[bytes]:
        """The last event, where the stream ended without the mark that ends an event."""


def splitter(framing: Framing) -> Splitter:
    """A new splitter for one answer."""
    return SseSplitter() if framing is Framing.SSE else JsonLinesSplitter()
