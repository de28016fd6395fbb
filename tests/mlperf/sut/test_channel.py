from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.mlperf.sut.channel import FRAME_ANSWERS, HEADER, Channel, Kind
from assay.mlperf.sut.interface import Answer, FirstToken, Query

Ends = tuple[Channel, Channel]


@pytest.fixture
def ends() -> Iterator[Ends]:
    left, right = (Channel(end) for end in socket.socketpair())
    yield left, right
    left.close()
    right.close()


def test_queries_arrive_with_ids_of_the_full_64_bits(ends: Ends) -> None:
    ends[0].issue([2**64 - 1, 7], [0, 14_999])
    frame = ends[1].receive()
    assert frame is not None and frame.kind is Kind.ISSUE
    assert frame.queries() == [Query(2**64 - 1, 0), Query(7, 14_999)]


def test_a_flush_is_a_frame_without_content(ends: Ends) -> None:
    ends[0].flush()
    frame = ends[1].receive()
    assert frame is not None and frame.kind is Kind.FLUSH and frame.queries() == []


def test_first_tokens_arrive_beside_their_ids(ends: Ends) -> None:
    ends[0].first_tokens([FirstToken(9, 31_999, 2**62 + 1), FirstToken(8, 1)])
    frame = ends[1].receive()
    assert frame is not None and frame.kind is Kind.FIRST
    assert (frame.ids.tolist(), frame.values.tolist()) == ([9, 8], [31_999, 1])
    assert frame.arrived_ns.tolist() == [2**62 + 1, 0]


def test_closing_ends_a_send_that_waits_and_every_one_after_it(ends: Ends) -> None:
    answers = [Answer(n, [7] * 4096) for n in range(4096)]
    ended: list[BaseException] = []

    def send() -> None:
        try:
            while True:
                ends[0].done(answers)
        except BrokenPipeError as error:
            ended.append(error)

    waiting = threading.Thread(target=send)
    waiting.start()
    ends[0].close()
    waiting.join(60)
    assert len(ended) == 1
    with pytest.raises(BrokenPipeError):
        ends[0].flush()


ANSWERS = st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=5), min_size=1, max_size=20)


@settings(max_examples=50, deadline=None)
@given(answers=ANSWERS, form=st.sampled_from(["tuples", "arrays", "mixed", "int64 arrays"]))
def test_answers_in_any_form_arrive_one_after_the_other(answers: list[list[int]], form: str) -> None:
    as_array = {"tuples": [], "arrays": range(99), "mixed": range(0, 99, 2), "int64 arrays": range(99)}[form]
    dtype = np.int64 if form == "int64 arrays" else np.int32
    sent = [Answer(i, np.array(ids, dtype) if i in as_array else tuple(ids)) for i, ids in enumerate(answers)]
    left, right = (Channel(end) for end in socket.socketpair())
    left.done(sent)
    frame = right.receive()
    left.close()
    right.close()
    assert frame is not None
    assert frame.values.tolist() == [len(ids) for ids in answers]
    assert frame.tokens.tolist() == [token for ids in answers for token in ids]


def test_many_answers_travel_in_several_frames_larger_than_the_socket_holds(ends: Ends) -> None:
    count = FRAME_ANSWERS + 10
    tokens = np.arange(200, dtype=np.int32)
    sender = threading.Thread(target=ends[0].done, args=([Answer(i, tokens) for i in range(count)],))
    sender.start()
    first, second = ends[1].receive(), ends[1].receive()
    sender.join()
    assert first is not None and second is not None
    assert (len(first.ids), len(second.ids)) == (FRAME_ANSWERS, 10)
    assert second.tokens.reshape(10, 200)[9].tolist() == tokens.tolist()


def test_frames_of_several_threads_do_not_mix(ends: Ends) -> None:
    def send(number: int) -> None:
        for _ in range(50):
            ends[0].done([Answer(number, [number] * 300)] * 3)

    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    for _ in range(200):
        frame = ends[1].receive()
        assert frame is not None
        assert set(frame.tokens.tolist()) == set(frame.ids.tolist())
    for sender in senders:
        sender.join()


@pytest.mark.parametrize("sent", [b"", b"\x01", HEADER.pack(Kind.ISSUE, 2, 0) + b"half"])
def test_a_connection_that_ends_early_reads_as_closed(sent: bytes) -> None:
    left, right = socket.socketpair()
    left.sendall(sent)
    left.close()
    channel = Channel(right)
    assert channel.receive() is None
    channel.close()
