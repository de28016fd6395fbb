"""The loop of the SUT process: what arrives is given to the SUT in order, waiting queries as one batch."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue

import numpy as np
import pytest

from assay.config import Mode
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.channel import Channel, Frame, Kind
from assay.mlperf.sut.interface import Answer, FirstToken, Query, Sink, SutSpec, Used
from assay.mlperf.sut.message import Ask, Begin, Close, Line, Renew, UsedReport
from assay.mlperf.sut.process import ClientSink, Event, serve
from tests.mlperf.loadgen_job import sut_spec

NONE = np.empty(0, np.int32)
FLUSH = Frame(Kind.FLUSH, np.empty(0, np.uint64), NONE, NONE)
USED = Used("noting", "none", "none", "cpu", None, None)


def issue(*ids: int) -> Frame:
    return Frame(Kind.ISSUE, np.array(ids, np.uint64), np.array([i % 7 for i in ids], np.int32), NONE)


class NotingSut:
    """Remembers every call."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def used(self) -> Used:
        self.calls.append("used")
        return USED

    def issue(self, queries: Sequence[Query]) -> None:
        self.calls.append([query.id for query in queries])

    def flush(self) -> None:
        self.calls.append("flush")

    def close(self) -> None:
        self.calls.append("close")


class NotingModule:
    """Builds SUTs that remember, and remembers them."""

    def __init__(self) -> None:
        self.built: list[NotingSut] = []

    def build(self, spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> NotingSut:
        self.built.append(NotingSut())
        return self.built[-1]


NO_OTHER = NotingModule()


@pytest.fixture
def ends() -> Iterator[tuple[Connection, ClientSink]]:
    ours, theirs = Pipe()
    yield ours, ClientSink(theirs)
    ours.close()
    theirs.close()


def served(events: Sequence[Event], sink: ClientSink) -> list[object]:
    queue: SimpleQueue[Event] = SimpleQueue()
    for event in (*events, Close()):
        queue.put(event)
    sut = NotingSut()
    serve(sut, NO_OTHER, queue, sink)
    return sut.calls


@pytest.mark.parametrize(
    ("events", "calls"),
    [
        ([], ["close"]),
        ([issue(1, 2)], [[1, 2], "close"]),
        ([issue(1), issue(2, 3), issue(4)], [[1, 2, 3, 4], "close"]),
        ([issue(1), FLUSH, issue(2)], [[1], "flush", [2], "close"]),
        ([FLUSH, FLUSH], ["flush", "flush", "close"]),
        ([issue(1), Ask(), issue(2), issue(3)], [[1], "used", [2, 3], "close"]),
    ],
)
def test_what_waits_is_one_batch_and_the_order_is_kept(
    events: list[Event], calls: list[object], ends: tuple[Connection, ClientSink]
) -> None:
    assert served(events, ends[1]) == calls


def test_nothing_is_served_after_the_close(ends: tuple[Connection, ClientSink]) -> None:
    assert served([Close(), issue(1)], ends[1]) == ["close"]


def test_what_is_used_is_told_when_it_is_asked_for(ends: tuple[Connection, ClientSink]) -> None:
    ours, sink = ends
    served([Ask()], sink)
    assert ours.recv() == UsedReport(USED)


def test_a_query_keeps_its_id_of_64_bits_and_its_sample(ends: tuple[Connection, ClientSink]) -> None:
    assert issue(2**64 - 1).queries() == [Query(2**64 - 1, (2**64 - 1) % 7)]


def test_work_goes_to_the_client_that_is_connected_and_to_nobody_else(
    ends: tuple[Connection, ClientSink],
) -> None:
    sink = ends[1]
    sink.done([Answer(1, [5])])  # nobody is there: dropped
    here, there = socket.socketpair()
    sink.client = Channel(here)
    sink.first_tokens([FirstToken(7, 3)])
    sink.done([Answer(7, [3, 4])])
    sink.first_tokens([])
    sink.done([])
    client = Channel(there)
    frames = [client.receive(), client.receive()]
    assert [frame and (frame.kind, frame.ids.tolist(), frame.values.tolist()) for frame in frames] == [
        (Kind.FIRST, [7], [3]),
        (Kind.DONE, [7], [2]),
    ]
    here.close()
    assert client.receive() is None
    client.close()


def test_a_client_that_left_gets_nothing_more(ends: tuple[Connection, ClientSink]) -> None:
    sink = ends[1]
    for hand_in in (lambda: sink.done([Answer(1, [5])]), lambda: sink.first_tokens([FirstToken(1, 5)])):
        here, there = socket.socketpair()
        sink.client = Channel(here)
        there.close()
        hand_in()
        assert sink.client is None
        here.close()


def test_an_answer_that_comes_while_its_client_is_closed_here_is_dropped(
    ends: tuple[Connection, ClientSink],
) -> None:
    """The thread that reads closes the client while the thread that answers still holds it."""
    sink = ends[1]
    here, there = socket.socketpair()
    client = Channel(here)
    sink.joined(client)
    client.close()
    sink.done([Answer(1, [5])])
    assert sink.client is None
    there.close()


def test_a_late_answer_to_a_client_that_left_keeps_the_one_that_came_after_it(
    ends: tuple[Connection, ClientSink],
) -> None:
    sink = ends[1]
    first, second = (Channel(end) for end in socket.socketpair())
    sink.joined(second)
    sink.left(first)
    assert sink.client is second
    first.close()
    second.close()


def test_a_line_for_a_person_goes_to_the_parent(ends: tuple[Connection, ClientSink]) -> None:
    ours, sink = ends
    sink.progress("layer 1 of 2")
    assert ours.recv() == Line("layer 1 of 2")


def test_a_sut_that_wants_to_know_is_told_what_a_run_is_for(ends: tuple[Connection, ClientSink]) -> None:
    class Hearing(NotingSut):
        def begin(self, mode: Mode) -> None:
            self.calls.append(mode)

    for sut, heard in ((Hearing(), [Mode.ACCURACY]), (NotingSut(), [])):
        queue: SimpleQueue[Event] = SimpleQueue()
        for event in (Begin(Mode.ACCURACY), issue(1), Close()):
            queue.put(event)
        serve(sut, NO_OTHER, queue, ends[1])
        assert sut.calls == [*heard, [1], "close"]


def renewed(sut: NotingSut, sink: ClientSink) -> NotingModule:
    """A query, another data set, a query."""
    module = NotingModule()
    queue: SimpleQueue[Event] = SimpleQueue()
    for event in (issue(1), Renew(sut_spec(), ()), issue(2), Close()):
        queue.put(event)
    serve(sut, module, queue, sink)
    return module


def test_a_sut_that_can_goes_on_with_another_data_set(ends: tuple[Connection, ClientSink]) -> None:
    class Going(NotingSut):
        def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> None:
            self.calls.append("renew")

    sut = Going()
    module = renewed(sut, ends[1])
    assert sut.calls == [[1], "renew", "used", [2], "close"] and module.built == []
    assert ends[0].recv() == UsedReport(USED)


def test_a_sut_that_cannot_is_closed_before_another_is_built(ends: tuple[Connection, ClientSink]) -> None:
    sut = NotingSut()
    (other,) = renewed(sut, ends[1]).built
    assert sut.calls == [[1], "close"]
    assert other.calls == ["used", [2], "close"]
