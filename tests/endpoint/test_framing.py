from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.api import Framing
from assay.endpoint.event_limit import MAX_EVENT_BYTES, EventTooLong
from assay.endpoint.framing import splitter

STREAM = (
    '\ufeff: ping\n\nevent: message\nid: 7\ndata: {"text": "naïve 日本"}\n\ndata:one\ndata: two\n\n'
    "data\n\n: ping\n\nretry: 10\n\ndata: [DONE]\n\n"
).encode()
EVENTS = ['{"text": "naïve 日本"}'.encode(), b"one\ntwo", b"", b"[DONE]"]


def events(pieces: list[bytes], framing: Framing = Framing.SSE) -> list[bytes]:
    reader = splitter(framing)
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_are_the_same_wherever_the_stream_is_cut(end: bytes) -> None:
    stream = STREAM.replace(b"\n", end)
    assert events([stream]) == EVENTS
    assert events([stream[i : i + 1] for i in range(len(stream))]) == EVENTS
    for cut in range(len(stream) + 1):
        assert events([stream[:cut], b"", stream[cut:]]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=8), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_events_are_the_same_for_any_cuts(cuts: list[int], end: bytes) -> None:
    stream = STREAM.replace(b"\n", end)
    at = [0, *sorted(cuts), len(stream)]
    assert events([stream[a:b] for a, b in itertools.pairwise(at)]) == EVENTS


def test_an_event_is_given_as_soon_as_its_empty_line_is_there() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        assert splitter(Framing.SSE).feed(b"data: a" + end + end) == [b"a"]


def test_the_last_event_needs_no_empty_line() -> None:
    assert events([b"data: a\n\ndata: b"]) == events([b"data: a\n\ndata: b\n"]) == [b"a", b"b"]


def test_the_old_error_field_of_llamacpp_is_an_event() -> None:
    assert events([b'error: {"code":500}\n\n']) == [b'{"error": {"code":500}}']


def test_json_lines_are_split_wherever_the_stream_is_cut() -> None:
    stream = '{"a":"é"}\r\n\n{"b":2}'.encode()
    for cut in range(len(stream) + 1):
        got = events([stream[:cut], stream[cut:]], Framing.JSON_LINES)
        assert [line.strip() for line in got] == ['{"a":"é"}'.encode(), b'{"b":2}']


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("piece", [b"x" * 2**20, b"data: " + b"x" * 2**20 + b"\n"])
def test_an_event_without_end_is_refused(framing: Framing, piece: bytes) -> None:
    reader = splitter(framing)
    if framing is Framing.JSON_LINES:
        piece = piece.strip()
    with pytest.raises(EventTooLong, match="16 MiB"):
        for _ in range(MAX_EVENT_BYTES // 2**20 + 1):
            reader.feed(piece)
