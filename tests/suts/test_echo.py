from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from assay import suts
from assay.config import Device, Precision
from assay.ground.errors import ConfigError
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import Answer, FirstToken, Query, SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.suts import echo


class Collected:
    """A sink that keeps what it gets, in order."""

    def __init__(self) -> None:
        self.firsts: list[FirstToken] = []
        self.answers: list[Answer] = []
        self.events: list[str] = []

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        self.firsts += tokens
        self.events += [f"first {token.id}" for token in tokens]

    def done(self, answers: Sequence[Answer]) -> None:
        self.answers += answers
        self.events += [f"done {answer.id}" for answer in answers]

    def progress(self, message: str) -> None:
        self.events.append(message)


def built(
    *references: tuple[int, ...], server: bool = False, **options: str
) -> tuple[echo.EchoSut, Collected]:
    samples = [
        Sample(i, f"train.{i}", "GSM8K", "", (1, 50, 51, 52, 53), "", ids, (2,))
        for i, ids in enumerate(references)
    ]
    sink = Collected()
    generation = Generation(min_new_tokens=2, max_new_tokens=4, eos_id=2)
    spec = SutSpec("echo", None, Device.CPU, Precision.FLOAT32, None, generation, server, options)
    return echo.build(spec, samples, sink), sink


def answers(sink: Collected) -> dict[int, list[int]]:
    return {answer.id: list(answer.token_ids) for answer in sink.answers}


def test_each_query_is_answered_with_the_reference_of_its_sample() -> None:
    sut, sink = built((7, 8, 9), (4, 5))
    sut.issue([Query(100, 1), Query(101, 0), Query(102, 1)])
    assert answers(sink) == {100: [4, 5], 101: [7, 8, 9], 102: [4, 5]}
    assert sink.firsts == []


def test_prompt_answers_are_cut_to_the_longest_answer_allowed() -> None:
    sut, sink = built((), answers="prompt")
    sut.issue([Query(1, 0)])
    assert answers(sink) == {1: [1, 50, 51, 52]}


def test_an_answer_of_one_token_gets_an_end_token_so_that_loadgen_takes_it() -> None:
    sut, sink = built((7,))
    sut.issue([Query(1, 0)])
    assert answers(sink) == {1: [7, 2]}


def test_in_server_each_first_token_comes_before_its_answer() -> None:
    sut, sink = built((7, 8), (9, 4), server=True)
    sut.issue([Query(1, 0), Query(2, 1)])
    assert sink.firsts == [FirstToken(1, 7), FirstToken(2, 9)]
    assert sink.events.index("first 2") < sink.events.index("done 2")


def test_a_pace_spreads_the_answers_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    sut, sink = built((7, 8), pace="10")
    sut.issue([Query(i, 0) for i in range(25)])
    assert len(sink.answers) == 25
    assert now[0] == pytest.approx(2.5)


def test_a_late_slice_is_made_up_for_so_that_the_pace_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds + 0.01))
    sut, _ = built((7, 8), pace="10")
    sut.issue([Query(i, 0) for i in range(20)])
    assert now[0] == pytest.approx(2.0, abs=0.02)


def test_it_says_that_it_is_a_fake_without_weights() -> None:
    used = built((7, 8))[0].used()
    assert used.is_fake
    assert (used.precision, used.weights_sha256, used.batch) == ("none", None, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"anwers": "prompt"}, "did you mean answers"),
        ({"answers": "promt"}, "did you mean prompt"),
        ({"pace": "fast"}, "'fast' is not a value of --pace"),
        ({"pace": "0"}, "from 1e-06 to 1e+09"),
        ({"pace": "nan"}, "'nan' is not a value of --pace"),
    ],
)
def test_an_option_it_does_not_know_is_refused(options: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as failure:
        built((7, 8), **options)
    assert words in str(failure.value)


def test_a_dataset_without_reference_answers_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match="no reference answer for sample 1") as failure:
        built((7, 8), ())
    assert "--answers prompt" in failure.value.hint


def test_a_sut_is_named_by_its_module_and_a_misspelt_one_by_its_neighbour() -> None:
    assert suts.kind("echo").module == echo.__name__
    with pytest.raises(ConfigError, match="unknown SUT") as failure:
        suts.kind("ecko")
    assert failure.value.hint == "did you mean echo?"
