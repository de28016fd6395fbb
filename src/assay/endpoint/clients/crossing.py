"""What crosses between the process that measures and its client processes, many at a time.

A frame is its length, its kind and a MessagePack value. Both ends are Assay's own, of the same version:

    to a client process     SETTING (once, first)   ORDERS   HANDS_OVER
    from a client process   CAME   PULSE   BROKEN

Times are nanoseconds of CLOCK_MONOTONIC, which is one clock for all processes of a machine.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from assay.endpoint.audit import AnswerTerms
from assay.endpoint.exchange import ClientLimits

_HEAD = struct.Struct("<IB")


class FrameKind(IntEnum):
    SETTING = 1
    ORDERS = 2
    HANDS_OVER = 3
    CAME = 4
    PULSE = 5
    BROKEN = 6


class ClientSetting(msgspec.Struct, frozen=True, array_like=True):
    """What a client process is made of."""

    api: str
    urls: tuple[str, ...]
    token: str | None
    limits: ClientLimits


class WrittenQuestion(msgspec.Struct, frozen=True, array_like=True):
    """The body of a request, and what its answer is held against."""

    body: bytes
    terms: AnswerTerms


Order = tuple[int, int, msgspec.Raw]
"""Number, when it was asked for, and a WrittenQuestion that was encoded before the run."""


class EndedStream(msgspec.Struct, frozen=True, array_like=True):
    """How the stream of one order ended."""

    number: int
    url: str
    """Who answered it, or failed it last; empty where nobody was asked."""
    late_ns: int = 0
    """From when it could be sent to when it was."""
    sent_ns: int = 0
    took_ns: int = 0
    """From sending to the last byte."""
    first_ns: int = 0
    """From sending to the first event with tokens; 0 = none came."""
    is_stamped: bool | None = None
    """Whether the system's stamps tell when its bytes arrived; None = none came."""
    retries: int = 0
    handed_over: tuple[str, ...] = ()
    """Who failed it before."""
    cached_tokens: int | None = None
    failure: str | None = None
    """Name of a FailureKind."""
    detail: str = ""
    tokens: int = 0
    first_chunk_tokens: int = 0
    gaps_us: bytes = b""
    """Between the events with tokens, as `chunk_times.packed_gaps` makes them."""


class Came(msgspec.Struct, array_like=True):
    """What has come in one turn of the event loop, by the orders' numbers. An order ends once; one that failed has no
    answer."""

    firsts: list[tuple[int, int, int]]
    """With each first token when its bytes arrived."""
    answers: list[tuple[int, list[int]]]
    ended: list[EndedStream]
    first_texts: list[tuple[int, str, int]] = []
    """Where the API gives text: the first piece, and when its bytes arrived."""
    texts: list[tuple[int, str, int | None]] = []
    """The whole answer, and how many tokens the server counts; None = it does not say."""


class Pulse(msgspec.Struct, frozen=True, array_like=True):
    """How a client process fares, told several times a second."""

    at_ns: int
    cpu_ns: int
    """Of the whole process since it began."""
    lags_ns: tuple[int, ...]
    """How much later than planned the event loop came round."""
    connections: dict[str, int]
    """Opened since it began, by URL."""
    left: dict[str, str]
    """Servers that are asked no more, and why."""


ORDERS_IN = msgspec.msgpack.Decoder(list[tuple[int, int, WrittenQuestion]])
CAME = msgspec.msgpack.Decoder(Came)
PULSE = msgspec.msgpack.Decoder(Pulse)
SETTING = msgspec.msgpack.Decoder(ClientSetting)
_ENCODER = msgspec.msgpack.Encoder()


def packed(value: object) -> bytes:
    return _ENCODER.encode(value)


def frame(kind: FrameKind, value: object) -> bytes:
    body = packed(value)
    return _HEAD.pack(len(body), kind) + body


class FrameReader:
    """Bytes in, as they arrive; whole frames out."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes | memoryview) -> list[tuple[FrameKind, bytes]]:
        rest = self._rest
        rest += data
        frames, at = [], 0
        while len(rest) - at >= _HEAD.size:
            size, kind = _HEAD.unpack_from(rest, at)
            end = at + _HEAD.size + size
            if end > len(rest):
                break
            frames.append((FrameKind(kind), bytes(rest[at + _HEAD.size : end])))
            at = end
        del rest[:at]
        return frames
