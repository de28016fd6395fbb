"""llama3.1-405b: what its answers are worth, by the kind of each row."""

from __future__ import annotations

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring.metric import Answered, Answers
from assay.mlperf.scoring.programs.program import Grading
from assay.mlperf.workloads import llama3_1_405b
from assay.mlperf.workloads.scorers import llama3_1_405b_scorers

ONE, TWO = "12345678-1234-1234-1234-123456789abc", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("truth", "text", "value"),
    [
        (ONE, f"It is {ONE.upper()}.", 100.0),
        (f"{ONE} {TWO}", f"{TWO}", round(100 * 5 / 36, 2)),
        (ONE, f"{ONE} {TWO}", 50.0),
        (f"{ONE} {TWO}", ONE, 100.0),
        (ONE, "none", 0.0),
    ],
)
def test_hidden_ids_count_by_the_characters_that_are_found(truth: str, text: str, value: float) -> None:
    assert llama3_1_405b_scorers.needles(truth, text) == value


@pytest.mark.parametrize(
    ("truth", "text", "value"),
    [
        ("Rome|Roma", "Answer: Paris. Answer: ROMA", 100.0),
        ("New York", "Answer: it is new  york", 100.0),
        ("Rome", "Answer: Paris", 0.0),
        ("Rome", "", 100.0),
        ("Rome", "Answer:Rome", 100.0),
        ("Rome|", "Paris", 100.0),
    ],
)
def test_a_question_is_answered_by_part_of_the_truth_or_by_an_alternative(
    truth: str, text: str, value: float
) -> None:
    assert llama3_1_405b_scorers.question(truth, text) == value


def scores(wrong: int):  # type: ignore[no-untyped-def]
    rows = [
        ("qa_em", "Rome", "Answer: Rome"),
        ("niah_em", ONE, ONE),
        ("rouge", "The cat sat.", "The cat sat."),
    ]
    each = []
    for i in range(36):
        subset, truth, right = rows[i % 3]
        sample = Sample(i, "", subset, "", (), truth, (), ())
        each.append(Answered(sample, "Oslo" if i < wrong else right, [1, 2]))
    of = Answers(each, 36, 36, lambda _: Grading([]))
    return [score for scorer in llama3_1_405b.WORKLOAD.scorers for score in scorer.score(of)]


def test_planted_wrong_answers_take_exactly_their_share() -> None:
    rouge, exact, tokens = scores(6)
    assert rouge.value == pytest.approx(100 * 10 / 12)
    assert exact.value == pytest.approx(100 * 20 / 24)
    official = llama3_1_405b_scorers.official_results([rouge, exact, tokens])
    assert list(official) == [
        "rougeL",
        "exact_match",
        "tokens_per_sample",
        "gen_len",
        "gen_num",
        "gen_tok_len",
    ]
    assert (official["tokens_per_sample"], official["gen_num"], official["gen_tok_len"]) == (2.0, 36, 72)


def test_a_log_of_one_kind_has_only_that_kind_s_metric() -> None:
    sample = Sample(0, "", "qa_em", "", (), "Rome", (), ())
    of = Answers([Answered(sample, "Rome", [1])], 1, 1, lambda _: Grading([]))
    found = [score for scorer in llama3_1_405b.WORKLOAD.scorers for score in scorer.score(of)]
    assert "rougeL" not in llama3_1_405b_scorers.official_results(found)


def test_a_set_of_another_workload_is_refused_with_what_it_lacks_and_has() -> None:
    columns = {"input_tokens": [[1]], "dataset": ["aime25"], "ground_truth": ["1"]}
    for read in (llama3_1_405b.WORKLOAD.schema.samples, llama3_1_405b.WORKLOAD.schema.scored):
        with pytest.raises(ArtifactError, match="it has input_tokens, dataset, ground_truth"):
            read(columns, "rows.parquet")
