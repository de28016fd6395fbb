"""What passes between LoadGen and the SUT: every query out once, every answer in once, and nothing that was not asked.

LoadGen itself is a stand-in that notes what it is told; test_session.py runs the real one.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from assay.ground.errors import RunFailed
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.early_stopping import Judgement
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run import journal
from assay.mlperf.run.journal import Keeper
from assay.mlperf.run.loadgen import LoadgenRun, Relay
from assay.mlperf.run.loadgen_job import LoadGenJob
from assay.mlperf.run.trial import LateCount, StopRule, Tally
from assay.mlperf.sut.channel import Channel, Kind, socket_name
from assay.mlperf.sut.interface import Answer, FirstToken


class Response(NamedTuple):
    id: int
    address: int
    size: int
    count: int

    @property
    def tokens(self) -> list[int]:
        """What lies in memory at the address, now."""
        data = ctypes.string_at(self.address, self.size)
        return np.frombuffer(data, np.int32).tolist()


class Binding:
    """What LoadGen was told, read at once: it copies what it keeps."""

    QuerySampleResponse = Response

    def __init__(self) -> None:
        self.firsts: list[tuple[int, list[int]]] = []
        self.answers: list[tuple[int, list[int], int]] = []

    def FirstTokenComplete(self, responses: list[Response]) -> None:
        self.firsts += [(one.id, one.tokens) for one in responses]

    def QuerySamplesComplete(self, responses: list[Response]) -> None:
        self.answers += [(one.id, one.tokens, one.count) for one in responses]


class Ends(NamedTuple):
    relay: Relay
    binding: Binding
    sut: Channel
    """The SUT's end."""

    def end(self) -> None:
        """The SUT sends nothing more."""
        with socket.socket(fileno=os.dup(self.sut.fileno())) as same:
            same.shutdown(socket.SHUT_WR)

    def run(self) -> None:
        """Everything that the SUT sent is received."""
        self.end()
        self.relay.receive()


def ends(keeper: Keeper | None = None) -> Ends:
    ours, theirs = socket.socketpair()
    binding: Any = Binding()
    return Ends(Relay(binding, Channel(ours), keeper), binding, Channel(theirs))


@pytest.fixture
def two() -> Iterator[Ends]:
    """Samples 7 and 8 are asked for under large ids, as LoadGen's are addresses."""
    made = ends()
    made.relay.issue([2**63, 200], [7, 8])
    yield made
    made.sut.close()


def test_queries_go_out_with_their_samples_and_a_flush_after_them(two: Ends) -> None:
    two.relay.flush()
    issued, flushed = two.sut.receive(), two.sut.receive()
    assert issued is not None and flushed is not None
    assert (issued.kind, issued.ids.tolist(), issued.values.tolist()) == (Kind.ISSUE, [2**63, 200], [7, 8])
    assert flushed.kind is Kind.FLUSH
    assert (two.relay.issued, two.relay.done) == (2, 0)


def test_answers_reach_loadgen_each_with_its_own_tokens(two: Ends) -> None:
    two.sut.done([Answer(200, (5, 6, 7)), Answer(2**63, (9,))])
    two.run()
    assert two.binding.answers == [(200, [5, 6, 7], 3), (2**63, [9], 1)]
    assert (two.relay.done, two.relay.tokens) == (2, 4)


def test_an_answer_without_tokens_is_one(two: Ends) -> None:
    two.sut.done([Answer(200, ()), Answer(2**63, (9,))])
    two.run()
    assert two.binding.answers == [(200, [], 0), (2**63, [9], 1)]


def test_first_tokens_come_before_their_answers(two: Ends) -> None:
    two.sut.first_tokens([FirstToken(200, 5), FirstToken(2**63, 9)])
    two.sut.done([Answer(200, (5, 6)), Answer(2**63, (9, 1))])
    two.run()
    assert two.binding.firsts == [(200, [5]), (2**63, [9])]
    assert [answer[0] for answer in two.binding.answers] == [200, 2**63]


def test_an_id_may_be_used_again_when_its_query_has_ended(two: Ends) -> None:
    receiving = threading.Thread(target=two.relay.receive)
    receiving.start()
    for number, sample in enumerate((8, 9), 1):
        if number > 1:
            two.relay.issue([200], [sample])
        two.sut.first_tokens([FirstToken(200, sample)])
        two.sut.done([Answer(200, (sample, 2))])
        deadline = time.monotonic() + 30
        while two.relay.done < number and time.monotonic() < deadline:
            time.sleep(0.001)
    two.end()
    receiving.join(30)
    assert two.binding.firsts == [(200, [8]), (200, [9])]
    assert two.binding.answers == [(200, [8, 2], 2), (200, [9, 2], 2)]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([("done", [(300, (1,))])], "a query that was never asked, with id 300"),
        ([("done", [(200, (1,)), (200, (2,))])], "answered sample 8 twice"),
        ([("done", [(200, (1,))]), ("done", [(200, (1,))])], "answered sample 8 twice"),
        ([("first", [(300, 1)])], "never asked, with id 300"),
        ([("first", [(200, 1)]), ("first", [(200, 1)])], "reported a first token of sample 8 twice"),
        ([("done", [(200, (1,))]), ("first", [(200, 1)])], "answered sample 8 twice"),
    ],
)
def test_what_nobody_waits_for_never_reaches_loadgen(
    two: Ends, sent: list[tuple[str, list[Any]]], words: str
) -> None:
    for kind, each in sent:
        if kind == "done":
            two.sut.done([Answer(*one) for one in each])
        else:
            two.sut.first_tokens([FirstToken(*one) for one in each])
    with pytest.raises(RunFailed, match=words):
        two.run()
    assert len(two.binding.answers) + len(two.binding.firsts) == len(sent) - 1


def test_a_frame_that_is_no_answer_ends_the_run(two: Ends) -> None:
    two.sut.flush()
    with pytest.raises(RunFailed, match="the SUT sent a FLUSH frame"):
        two.run()


def test_answers_are_kept_by_the_samples_that_are_meant(tmp_path: Path) -> None:
    """A run that goes on asks for the samples that are left: LoadGen's index 1 is sample 40."""
    path = tmp_path / "answers"
    made = ends(Keeper(path, [30, 40, 50]))
    made.relay.issue([100, 200], [1, 2])
    issued = made.sut.receive()
    assert issued is not None and issued.values.tolist() == [40, 50]
    made.sut.first_tokens([FirstToken(200, 5)])
    made.sut.done([Answer(200, (5, 6)), Answer(100, (9,))])
    made.run()
    kept = journal.read(path)
    assert {index: (one.first_id, one.token_ids.tolist()) for index, one in kept.items()} == {
        50: (5, [5, 6]),
        40: (None, [9]),
    }


def test_times_of_queries_first_tokens_and_answers_are_stamped(two: Ends) -> None:
    two.sut.first_tokens([FirstToken(200, 5)])
    two.sut.done([Answer(200, (5, 6))])
    two.run()
    times = two.relay.times
    (issued,), (first,), (done,) = (each.calls(0) for each in (times.issued, times.first, times.done))
    assert (issued.ids, issued.values) == ([2**63, 200], [7, 8])
    assert (first.ids, first.values, done.ids, done.values) == ([200], [5], [200], [2])
    assert issued.at_ns <= first.at_ns <= done.at_ns


def test_after_the_last_tally_of_a_trial_the_counting_thread_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may look once more while the process ends, and its tally would say that the run was cut short."""
    anything = SimpleNamespace(
        log_output=SimpleNamespace(), FromConfig=lambda *_: 0, Server=0, PerformanceOnly=0
    )
    stand_in = SimpleNamespace(TestScenario=anything, TestMode=anything)
    for name in (
        "TestSettings",
        "LogSettings",
        "ConstructFastSUT",
        "ConstructQSL",
        "StartTestWithLogSettings",
    ):
        setattr(stand_in, name, lambda *_: anything)
    monkeypatch.setitem(sys.modules, "mlperf_loadgen", stand_in)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(os, "_exit", sys.exit)
    for name in ("_receive", "_count"):  # the threads; the test is one of them
        monkeypatch.setattr(LoadgenRun, name, lambda _: None)
    monkeypatch.setattr(LateCount, "look", lambda *_: Tally(Judgement.PASS, 1, 1, 0, 0))
    ours, theirs = Pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with socket_name(str(tmp_path / "sut")) as name:
            listener.bind(name)
        listener.listen()
        stop = StopRule(rounds.load("v5.1").seeds, 1.0, Latency(100.0, 10.0), 1, 0)
        job = LoadGenJob(
            tmp_path, str(tmp_path / "sut"), "", "Server", False, 1, tmp_path, None, None, tmp_path, stop=stop
        )
        run = LoadgenRun(job, theirs)
        run.perform()
        threading.Thread(target=run._stop_when_sure, daemon=True).start()
        told = []
        while ours.poll(0.3):
            told.append(ours.recv())
    assert [each.is_whole for each in told if isinstance(each, Tally)] == [True]
