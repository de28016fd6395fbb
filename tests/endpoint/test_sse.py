"""Server-sent events, line by line: what ends an event and what is passed over."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.event_limit import MAX_EVENT_BYTES, EventTooLong
from assay.endpoint.sse import SseSplitter

PAYLOAD = st.text(alphabet=st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=12)


def read(*pieces: bytes) -> list[bytes]:
    reader = SseSplitter()
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data\n\n", [b""]),
        (b"data: \n\n", [b""]),
        (b"data: a: b\n\n", [b"a: b"]),
        (b": a comment\n\n", []),
        (b"event: x\nid: 1\nretry: 3\n\n", []),
        (b"event: x\ndata: a\nid: 1\n\n", [b"a"]),
        (b"datax: a\n\n", []),
        (b" data: a\n\n", []),
        (b"Data: a\n\n", []),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [b"a"]),
        (b"error: {}\n\n", [b'{"error": {}}']),
        (b"data: a\nerror: 1\n\n", [b'a\n{"error": 1}']),
        (b"", []),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_fields_are_read_as_the_standard_says(stream: bytes, events: list[bytes], end: bytes) -> None:
    assert read(stream.replace(b"\n", end)) == events


@given(st.lists(PAYLOAD, min_size=1, max_size=5), st.data())
def test_plain_events_come_out_as_they_went_in_wherever_they_are_cut(
    payloads: list[str], data: st.DataObject
) -> None:
    stream = b"".join(b"data: " + payload.encode() + b"\n\n" for payload in payloads)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=4).map(sorted))
    pieces = [stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])]
    assert read(*pieces) == [payload.encode() for payload in payloads]


def test_whole_plain_events_in_one_piece_are_given_at_once() -> None:
    reader = SseSplitter()
    assert reader.feed(b"data: a\n\ndata: b\n\n") == [b"a", b"b"]
    assert reader.feed(b"data: c\n") == []
    assert reader.feed(b"\ndata: d\n\n") == [b"c", b"d"]
    assert reader.feed(b"data: e\n\n") == [b"e"]
    assert reader.close() == []


@pytest.mark.parametrize(
    "piece", [b"data: a\n\nid: 1\n\n", b"data: a\n\n: x\ndata: b\n\n", b"data: a\n\n\n\n"]
)
def test_a_piece_that_only_looks_plain_is_read_line_by_line(piece: bytes) -> None:
    assert SseSplitter().feed(piece) == [line[6:] for line in piece.split(b"\n") if line.startswith(b"data")]


def test_a_line_feed_after_a_return_in_another_piece_is_no_empty_line() -> None:
    assert read(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [b"a\nb"]
    assert read(b"data: a\r\r", b"data: b\n\n") == [b"a", b"b"]


def test_the_last_event_counts_without_its_end() -> None:
    assert read(b"data: a\n\ndata: b") == read(b"data: a\n\ndata: b\n") == [b"a", b"b"]
    assert read(b"data: a\n\n: closing") == [b"a"]


def test_many_lines_of_one_event_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, line = SseSplitter(), b"data: " + b"x" * (MAX_EVENT_BYTES // 4) + b"\n"
    assert [reader.feed(line) for _ in range(3)] == [[]] * 3
    with pytest.raises(EventTooLong):
        reader.feed(line)


def test_an_event_that_ended_leaves_room_for_the_next() -> None:
    reader, line = SseSplitter(), b"data: " + b"x" * (MAX_EVENT_BYTES // 2) + b"\nid: 1\n\n"
    assert [len(reader.feed(line)) for _ in range(3)] == [1, 1, 1]
