from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.scoring.paired import ReferenceAnswer, loss_exceeds, reference_values
from assay.mlperf.scoring.programs.program import Grading
from assay.mlperf.scoring.score import score
from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS

ALL = dict.fromkeys(range(500), 100.0)


def lost(count: int) -> dict[int, float]:
    return {index: 0.0 if index < count else 100.0 for index in ALL}


@pytest.mark.parametrize(("count", "fails"), [(0, False), (5, False), (8, False), (12, True), (20, True)])
def test_a_loss_over_one_percent_fails_only_when_it_is_not_chance(count: int, fails: bool) -> None:
    assert loss_exceeds(lost(count), ALL, 0.01) is fails


def test_gains_make_up_for_losses() -> None:
    reference = {index: 0.0 if index >= 480 else 100.0 for index in ALL}
    swapped = {index: 100.0 if index >= 20 else 0.0 for index in ALL}
    assert not loss_exceeds(swapped, reference, 0.01)


def test_without_spread_the_means_decide() -> None:
    assert loss_exceeds(dict.fromkeys(ALL, 98.0), ALL, 0.01)
    assert not loss_exceeds(dict.fromkeys(ALL, 99.5), ALL, 0.01)


def test_nothing_compared_is_no_loss() -> None:
    assert not loss_exceeds({}, {}, 0.01)


class Spelled:
    """One token a letter: `a` is 0."""

    vocab_size = 26

    def decode(self, answers: Sequence[Sequence[int]], *, keeps_special: bool = False) -> list[str]:
        return ["".join(chr(97 + i) for i in ids) for ids in answers]


def test_only_answers_that_differ_from_the_reference_are_scored_again() -> None:
    samples = [Sample(i, f"flan.{i}", "OpenOrca", "p", (1,), "cat", (2, 0, 19), (2,)) for i in range(3)]
    records = [ReferenceAnswer(0, (2, 0, 19)), ReferenceAnswer(1, (3, 14, 6)), ReferenceAnswer(2, (2, 0, 19))]
    words = cast(Tokenizer, Spelled())
    found = score(records, samples, words, lambda programs: Grading([]), SCORERS)
    values = reference_values(found, records, samples, words, lambda programs: Grading([]), SCORERS)
    assert dict(found[0].by_sample) == {0: 100.0, 1: 0.0, 2: 100.0}
    assert values["rouge1"] == {0: 100.0, 1: 100.0, 2: 100.0}
