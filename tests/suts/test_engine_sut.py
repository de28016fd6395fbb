"""The engine behind the seam: every query is answered once, by the workload's rules."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from assay.config import Device, Precision
from assay.engine.sequence import Finished
from assay.ground.errors import ArtifactError, ConfigError, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import Answer, FirstToken, Query, SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.suts import engine_sut as engine
from tests import tiny_mixtral

RULES = Generation(min_new_tokens=2, max_new_tokens=8, eos_id=2)


class Inbox:
    """A Sink that keeps what it is given."""

    def __init__(self) -> None:
        self.first: list[FirstToken] = []
        self.answers: list[Answer] = []
        self.lines: list[str] = []

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        self.first += tokens

    def done(self, answers: Sequence[Answer]) -> None:
        self.answers += answers

    def progress(self, message: str) -> None:
        self.lines.append(message)


def sample(index: int, subset: str = "GSM8K", prompt: tuple[int, ...] = (5, 9, 12)) -> Sample:
    return Sample(index, f"test.{index}", subset, "", (*prompt, 3 + index), "", (), (7, 8))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mixtral.save(tmp_path_factory.mktemp("checkpoint"), seed=1)


def spec(checkpoint: Path | None, server: bool = False, **options: str) -> SutSpec:
    return SutSpec("engine", checkpoint, Device.CPU, Precision.FLOAT32, 4, RULES, server, options)


def test_every_query_is_answered_once_even_when_samples_repeat(checkpoint: Path) -> None:
    inbox = Inbox()
    sut = engine.build(spec(checkpoint), [sample(i) for i in range(3)], inbox)
    sut.issue([Query(100 + i, i % 3) for i in range(9)])
    sut.flush()
    sut.close()
    answers = {a.id: a.token_ids for a in inbox.answers}
    assert sorted(answers) == list(range(100, 109)) and len(inbox.answers) == 9
    assert answers[100] == answers[103] == answers[106]
    assert all(2 <= len(tokens) <= 8 for tokens in answers.values())
    assert inbox.first == []


def test_another_data_set_is_answered_by_the_engine_that_is_loaded(checkpoint: Path) -> None:
    """Under its own rules; a sample that cannot run is refused."""
    later = [sample(i, prompt=(11, 4, 30)) for i in range(5)]
    shorter = dataclasses.replace(spec(checkpoint), generation=dataclasses.replace(RULES, max_new_tokens=4))
    told = []
    for first, renews in (([sample(0)], True), (later, False)):
        inbox = Inbox()
        sut = engine.build(spec(checkpoint) if renews else shorter, first, inbox)
        if renews:
            sut.renew(shorter, later)
            with pytest.raises(ArtifactError, match="another tokenizer"):
                sut.renew(shorter, [sample(0, prompt=(10**6,))])
        sut.issue([Query(100 + each.index, each.index) for each in later])
        sut.flush()
        sut.close()
        told.append(sorted((answer.id, tuple(answer.token_ids)) for answer in inbox.answers))
    assert told[0] == told[1] and len(told[0]) == len(later)
    assert all(len(ids) <= 4 for _, ids in told[0])


def test_while_no_answer_is_finished_the_engine_says_how_far_it_is(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SPEAK_EVERY_S", 0.0)
    inbox = Inbox()
    sut = engine.build(spec(checkpoint), [sample(i) for i in range(3)], inbox)
    loading = len(inbox.lines)
    sut.issue([Query(i, i) for i in range(3)])
    sut.flush()
    sut.close()
    said = inbox.lines[loading:]
    assert said and all(
        re.fullmatch(r"\d+ answers under way, \d+ wait; [\d.e+]+ new tokens/s", s) for s in said
    )


def test_a_server_hears_the_first_token_of_each_query_which_begins_its_answer(checkpoint: Path) -> None:
    inbox = Inbox()
    sut = engine.build(spec(checkpoint, server=True), [sample(0), sample(1)], inbox)
    for id in range(4):
        sut.issue([Query(id, id % 2)])
    sut.flush()
    sut.close()
    assert {t.id: t.token_id for t in inbox.first} == {a.id: a.token_ids[0] for a in inbox.answers}


def test_what_was_used_is_read_back_from_the_engine(checkpoint: Path) -> None:
    sut = engine.build(spec(checkpoint, kernels="torch"), [sample(0)], Inbox())
    used = sut.used()
    sut.close()
    assert (used.sut, used.precision, used.batch, used.is_fake) == ("engine", "float32", 4, False)
    assert "torch kernels" in used.backend and len(used.weights_sha256 or "") == 64


def test_a_sample_that_cannot_run_is_refused_before_the_model_is_loaded(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(engine, "Engine")
    with pytest.raises(ConfigError, match=r"request 1: 64 prompt tokens .* exceed the model's window of 64"):
        engine.build(spec(checkpoint), [sample(0), sample(1, prompt=(5,) * 63)], Inbox())


def test_a_failed_step_ends_the_wait_with_the_reason(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise MemoryError("no room for rows")

    monkeypatch.setattr(engine.Engine, "step", fail)
    sut = engine.build(spec(checkpoint), [sample(0)], Inbox())
    sut.issue([Query(1, 0)])
    with pytest.raises(RunFailed, match="the engine stopped: no room for rows"):
        sut.flush()
    sut.close()


def test_only_a_sample_with_a_stop_sequence_stops_at_it() -> None:
    program = sample(0)
    assert engine.to_request(program, RULES).stop == ((7, 8),)
    assert engine.to_request(dataclasses.replace(program, stop_ids=()), RULES).stop == ()


def test_the_end_of_sequence_id_is_not_part_of_the_answer_but_a_stop_sequence_is() -> None:
    assert engine.to_answer(Finished(1, (5, 6, 2), "eos"), 2).token_ids == [5, 6]
    assert engine.to_answer(Finished(1, (5, 7, 8), "stop"), 2).token_ids == [5, 7, 8]


def test_an_answer_too_short_for_loadgen_gets_its_end_back() -> None:
    assert engine.to_answer(Finished(1, (5, 2), "eos"), 2).token_ids == [5, 2]
    assert engine.to_answer(Finished(1, (2,), "eos"), 2).token_ids == [2, 2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token_bugdet": "9"}, "token_bugdet"),
        ({"threads": "two"}, "'two' is not a value of --threads"),
        ({"order": "x"}, "order"),
    ],
)
def test_an_option_it_does_not_know_is_refused(checkpoint: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        engine.build(spec(checkpoint, **options), [sample(0)], Inbox())


def test_a_missing_checkpoint_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="needs a checkpoint"):
        engine.build(spec(None), [], Inbox())


def test_answers_may_be_cut_short_which_the_notes_say(checkpoint: Path) -> None:
    inbox = Inbox()
    sut = engine.build(spec(checkpoint, answer_tokens="3"), [sample(0)], inbox)
    sut.issue([Query(1, 0)])
    sut.flush()
    used = sut.used()
    sut.close()
    assert len(inbox.answers[0].token_ids) <= 3
    assert "answers end after 3 tokens: their speed is measured alone" in used.notes
