from __future__ import annotations

from assay.mlperf.data.sample import Sample
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring import metric, tokens
from assay.mlperf.scoring.metric import Answered, Answers, Metric
from assay.mlperf.scoring.programs.program import Grading

LENGTH = Metric("length", "words", "Length", digits=1)
RIGHT = Metric("right", "%", "Right")


def answered(*texts: str) -> list[Answered]:
    return [
        Answered(Sample(i, f"x.{i}", "a" if i % 2 else "b", "", (1,), "yes", (), ()), text, (1,) * len(text))
        for i, text in enumerate(texts)
    ]


def test_a_mean_has_its_n_its_interval_and_each_sample_s_value() -> None:
    found = metric.mean(LENGTH, answered("yes", "no", "no", "no", "no", "no"), [1.0, 2.0, 2.0, 1.0, 2.0, 2.0])
    assert (found.value, found.unit, found.n) == (1.7, "words", 6)
    assert found.interval is not None and found.interval[0] < 1.7 < found.interval[1]
    assert found.by_sample == {0: 1.0, 1: 2.0, 2: 2.0, 3: 1.0, 4: 2.0, 5: 2.0}


def test_a_share_of_overlap_has_no_interval_beyond_a_hundred_percent() -> None:
    found = metric.mean(RIGHT, answered(*"abcde"), [100.0, 100.0, 100.0, 100.0, 70.0])
    assert found.interval is not None and found.interval[1] == 100.0


def test_a_share_is_in_percent() -> None:
    found = metric.share(RIGHT, answered("yes", "no"), [True, False])
    assert (found.value, found.n, dict(found.by_sample)) == (50.0, 2, {0: 100.0, 1: 0.0})


def test_without_answers_nothing_is_measured_and_the_reason_is_said() -> None:
    for found in (metric.mean(LENGTH, [], []), metric.share(RIGHT, [], [])):
        assert isinstance(found, Score) and found.value is None and found.reason and found.n == 0


def test_an_answer_that_was_logged_again_lowers_the_tokens_per_sample() -> None:
    answers = Answers(answered("yes", "no"), logged=4, samples=2, grade=lambda _: Grading([]))
    found = tokens.score(answers, "b")
    assert (found.value, found.n) == (1.2, 4)
    assert (found.details["gen_len"], found.details["gen_tok_len"], found.details["duplicates"]) == (3, 5, 2)
    assert [each.text for each in answers.of("a")] == ["no"]
