"""Summaries are scored by ROUGE and by their length, with the official scripts' names in their order."""

from __future__ import annotations

import pytest

from assay.mlperf.data.sample import Sample
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring.metric import Answered, Answers
from assay.mlperf.scoring.programs.program import Grading
from assay.mlperf.workloads.scorers import summaries


def answers(*pairs: tuple[str, str], logged: int | None = None) -> Answers:
    """(truth, text) of each answer; the answer's tokens are its letters."""
    each = [
        Answered(Sample(i, "", "", "", (), truth, (), ()), text, [1] * len(text))
        for i, (truth, text) in enumerate(pairs)
    ]
    return Answers(each, len(each) if logged is None else logged, len(each), lambda _: Grading([]))


def by_name(scores: list[Score]) -> dict[str, Score]:
    return {score.metric: score for score in scores}


def scored(of: Answers, *scorers: object) -> list[Score]:
    return [score for scorer in scorers or (summaries.TEXTS,) for score in scorer.score(of)]  # type: ignore[attr-defined]


def test_the_truth_itself_scores_one_hundred_and_words_of_another_text_nothing() -> None:
    truth = "The cat sat on the mat. It slept."
    same, other = by_name(scored(answers((truth, truth)))), by_name(scored(answers((truth, "blue"))))
    assert [same[m.id].value for m in summaries.ROUGE] == [100.0] * 4
    assert [other[m.id].value for m in summaries.ROUGE] == [0.0] * 4


def test_a_planted_share_of_wrong_summaries_takes_that_share() -> None:
    truth = "The cat sat on the mat."
    found = by_name(scored(answers(*((truth, truth if i % 4 else "blue") for i in range(8)))))
    assert found["rouge1"].value == 75.0 and found["rouge1"].n == 8
    assert found["rouge1"].by_sample[0] == 0.0 and found["rouge1"].by_sample[1] == 100.0


def test_sentences_on_lines_count_for_lsum_alone() -> None:
    """The same sentences in another order: rougeLsum finds all of them, rougeL the longest run."""
    found = by_name(scored(answers(("The cat slept. A dog ran.", "A dog ran. The cat slept."))))
    assert found["rougeLsum"].value == 100.0 == found["rouge1"].value
    assert found["rougeL"].value == 50.0


def test_the_length_is_that_of_all_answers_with_each_sentence_on_a_line() -> None:
    length = by_name(scored(answers(("x", "  One. Two. "), ("x", "Three"))))["gen_len"]
    assert (length.value, length.n) == (len("One.\nTwo.") + len("Three"), 2)
    assert length.by_sample == {0: 9.0, 1: 5.0}
    assert length.interval is None, "two answers are too few for one"
    assert by_name(scored(answers(("x", "One."))))["gen_len"].interval is None


def test_answers_that_were_logged_again_are_told() -> None:
    length = by_name(scored(answers(("x", "One."), ("x", "Two."), logged=5)))["gen_len"]
    assert dict(length.details) == {"duplicates": 3, "answered": 2, "samples": 2}


def test_tokens_are_the_mean_over_the_answers_that_count() -> None:
    (score,) = scored(answers(("x", "ab"), ("x", "abcde"), logged=7), summaries.TOKENS)
    assert (score.metric, score.value, score.n) == ("tokens_per_sample", 3.5, 2)


def test_official_results_have_the_scripts_names_in_its_order() -> None:
    scores = scored(answers(("One. Two.", "One. Two."), ("x", "abc")), summaries.TEXTS, summaries.TOKENS)
    found = summaries.of_tokens(scores)
    assert list(found) == [
        "rouge1",
        "rouge2",
        "rougeL",
        "rougeLsum",
        "gen_len",
        "gen_num",
        "gen_tok_len",
        "tokens_per_sample",
    ]
    assert (found["gen_len"], found["gen_num"], found["gen_tok_len"]) == (12, 2, 12)
    assert found["tokens_per_sample"] == 6.0
    texts = summaries.of_text([score for score in scores if score.metric != "tokens_per_sample"])
    assert list(texts) == list(found)[:6]


@pytest.mark.parametrize("scorer", [summaries.TEXTS, summaries.TOKENS])
def test_a_log_without_answers_measures_no_share_and_raises_nothing(scorer: object) -> None:
    scores = by_name(scored(answers(), scorer))
    assert {name: score.value for name, score in scores.items() if name != "gen_len"} == dict.fromkeys(
        scores.keys() - {"gen_len"}
    )


def test_what_was_not_measured_is_left_out_of_the_official_results() -> None:
    scores = scored(answers(), summaries.TEXTS, summaries.TOKENS)
    assert summaries.of_tokens(scores) == {"gen_len": 0, "gen_num": 0}
