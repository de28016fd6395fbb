"""JSON lines: a value a line, wherever the stream is cut."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.event_limit import MAX_EVENT_BYTES, EventTooLong
from assay.endpoint.json_lines import JsonLinesSplitter

VALUES = st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=8), max_size=2), max_size=5)


@given(VALUES, st.sampled_from(["\n", "\r\n", "\n\n"]), st.booleans(), st.data())
def test_values_come_out_as_they_went_in(
    values: list[dict[str, str]], end: str, is_ended: bool, data: st.DataObject
) -> None:
    stream = end.join(json.dumps(value) for value in values).encode() + (end.encode() if is_ended else b"")
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=4).map(sorted))
    reader = JsonLinesSplitter()
    lines = [
        line
        for a, b in itertools.pairwise([0, *cuts, len(stream)])
        for line in (reader.feed(stream[a:b]) if a < b else [])
    ]
    assert [json.loads(line) for line in lines + reader.close()] == values


def test_a_line_is_given_with_its_end_and_not_before() -> None:
    reader = JsonLinesSplitter()
    assert reader.feed(b'{"a":') == []
    assert reader.feed(b"1}\n{") == [b'{"a":1}']
    assert reader.feed(b" \n\t\n") == [b"{ "]
    assert reader.close() == []


def test_blank_lines_are_no_events() -> None:
    reader = JsonLinesSplitter()
    assert reader.feed(b"\n  \n\r\n") == []
    assert reader.feed(b"  ") == []
    assert reader.close() == []


@pytest.mark.parametrize(
    "pieces",
    [
        (b"x" * (MAX_EVENT_BYTES + 1),),
        (b"x" * MAX_EVENT_BYTES, b"x"),
        (b"{}\n" + b"x" * (MAX_EVENT_BYTES + 1),),
    ],
)
def test_a_line_without_end_is_refused(pieces: tuple[bytes, ...]) -> None:
    reader = JsonLinesSplitter()
    with pytest.raises(EventTooLong):
        for piece in pieces:
            reader.feed(piece)


def test_many_lines_may_be_longer_than_one() -> None:
    reader, line = JsonLinesSplitter(), b"x" * (MAX_EVENT_BYTES // 2)
    assert len(reader.feed(b"\n".join([line] * 3) + b"\n")) == 3
