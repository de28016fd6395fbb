"""deepseek-r1: its rows, the forms of its answers, and what is right."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring import answer_forms as forms
from assay.mlperf.scoring import math_grading
from assay.mlperf.scoring.metric import Answered, Answers
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.programs.program import Grading, Program, ProgramVerdict
from assay.mlperf.workloads import deepseek_r1
from assay.mlperf.workloads.datasets import deepseek_rows
from assay.mlperf.workloads.scorers import deepseek_scorers

ROWS = [
    ("aime1983", "25", r"so \boxed{25}", r"\boxed{26}"),
    ("math500", r"\frac{1}{2}", r"it is \boxed{0.5}", r"\boxed{1/3}"),
    ("gpqa", "C", "ANSWER: C", "ANSWER: D"),
    ("mmlu_pro", "J", "Final answer = (J).", "answer: I"),
]


def test_it_is_said_by_what_an_answer_is_judged() -> None:
    read = deepseek_scorers.SCORERS[0].reads
    found = [[read(each) for each in answers(4, wrong).answered] for wrong in (0, 4)]
    assert found[0][:2] == [
        "reads the integer 25, and 25 is right",
        r"reads the boxed answer 0.5, and \frac{1}{2} is right",
    ]
    assert found[1][2:] == ["reads the letter D, and C is right", "reads the letter I, and J is right"]
    assert read(Answered(Sample(0, "", deepseek_rows.AIME, "", (), "3", (), ()), "none")) == (
        "reads no integer, and 3 is right"
    )


def never(_: Sequence[Program]) -> Grading:
    raise AssertionError("nothing is to be run")


def no_tests(programs: Sequence[Program]) -> Grading:
    return Grading([ProgramVerdict(None, "no tests") for _ in programs])


def answers(count: int, wrong: int, grade=never, more=()) -> Answers:  # type: ignore[no-untyped-def]
    made = []
    for i in range(count):
        subset, truth, right, other = ROWS[i % len(ROWS)]
        columns = {"dataset": [subset], "ground_truth": [truth]}
        sample = deepseek_rows.SCHEMA.scored(columns, "made")[0]
        made.append(Answered(sample, other if i < wrong else right, [1] * (i + 1)))
    return Answers([*made, *more], count, count, grade)


def scores(of: Answers):  # type: ignore[no-untyped-def]
    return [score for scorer in deepseek_r1.WORKLOAD.scorers for score in scorer.score(of)]


@pytest.mark.parametrize("wrong", [0, 1, 5, 32])
def test_each_planted_wrong_answer_takes_exactly_its_share(wrong: int) -> None:
    exact, tokens = scores(answers(32, wrong))
    assert exact.value == 100 * (32 - wrong) / 32
    assert (tokens.value, tokens.n) == (16.5, 32)
    assert deepseek_scorers.official_results([exact, tokens]) == {
        "exact_match": exact.value,
        "tokens_per_sample": 16.5,
        "num-samples": 32,
    }


def test_a_program_without_tests_is_not_graded_and_never_wrong() -> None:
    code = Answered(Sample(4, "", "livecodebench", "", (), "abc123", (), ()), "```python\npass\n```")
    exact, _ = scores(answers(4, 1, no_tests, [code]))
    assert (exact.value, exact.ungraded) == (None, 1)
    assert exact.reason == "no tests (1 answer)"
    assert exact.details["aime"] == {"right": 0, "judged": 1, "ungraded": 0}


def test_without_a_code_block_a_program_is_wrong_whatever_the_tests_are() -> None:
    code = Answered(Sample(4, "", "livecodebench", "", (), "abc123", (), ()), "I cannot")
    assert scores(answers(4, 0, never, [code]))[0].value == 80


@pytest.mark.parametrize(
    ("text", "last", "letter"),
    [
        ("ANSWER: A then ANSWER: B", "D", "B"),
        ("final  answer = (c)", "D", "C"),
        ("The answer a man gives", "D", "A"),
        ("ANSWER: **A**", "D", None),
        ("ANSWER: E", "D", None),
        ("ANSWER: E", "J", "E"),
        ("ANSWER: Apple", "D", None),
        ("ANSWER: A1", "D", "A"),
        ("answer is B", "D", None),
        (r"['ANSWER: A\n']", "D", "A"),
    ],
)
def test_the_letter_of_a_choice(text: str, last: str, letter: str | None) -> None:
    assert forms.stated_letter(text, last) == letter


def test_a_letter_alone_counts_where_none_is_stated() -> None:
    assert forms.lone_letter("it is b, I'd say", "J") == "D"
    assert forms.stated_letter("answer" + " " * 50_000 + "?", "J") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\boxed{7} or \boxed{ 042 }", 42),
        (r"\boxed{x} Answer: 12", 12),
        (r"\boxed{1000} Answer: 12", None),
        ("answer:\n 12.5", None),
        ("Answer: 12.", None),
        ("Answer: **12**", None),
        ("\\boxed{" + "9" * 5000 + "}", None),
    ],
)
def test_the_integer_of_an_aime_answer(text: str, found: int | None) -> None:
    assert forms.aime_integer(text) == found


def test_the_last_box_is_read_to_its_own_brace() -> None:
    assert forms.boxed(r"\boxed{1} \boxed{ \frac{1}{2} } }") == r"\frac{1}{2}"
    assert forms.boxed(r"\boxed{\frac{1}{2}") is None


@pytest.mark.parametrize(
    ("given", "truth", "verdict"),
    [
        ("0.5", r"\frac{1}{2}", True),
        (r"\frac12", "1/2", True),
        ("2/4", r"\frac{1}{2}", False),
        (r"\dfrac{\pi}{2}", r"\pi/2", True),
        (r"5\text{ cm}", "5", True),
        ("k=3", "3", True),
        ("5,000", "5000", True),
        ("3.14159", r"\pi", ("(pi)-(3.14159)",)),
        ("50\\%", "0.5", False),
        ("(1,2)", "[1,2]", False),
        ("(2,1)", "(1,2)", ("(1)-(2)", "(2)-(1)")),
        ("2^{10}", "1024", False),
        ("c+b+a", "a+b+c", False),
        ("b+a", "a+b", ("(a+b)-(b+a)",)),
        ("", "3", False),
        ("nan", "inf", False),
    ],
)
def test_text_decides_or_leaves_expressions_to_sympy(
    given: str, truth: str, verdict: bool | tuple[str, ...]
) -> None:
    assert math_grading.decide(given, truth) == verdict


def test_sympy_judges_in_the_sandbox() -> None:
    """Expressions that cannot be read, or that would run something, are no zero."""
    pairs = [("(x+1)^2", "x^2+2x+1"), ("x^2", "x^3"), ("1/0x", "x"), ("(", "x"), ("2\\sqrt{3}", "\\sqrt{12}")]
    zeros = [math_grading.decide(given, truth) for given, truth in pairs]
    programs = [math_grading.program(each) for each in zeros if isinstance(each, tuple)]
    assert len(programs) == len(pairs)
    verdicts = Grade(workers=2)(programs).verdicts
    if any(verdict.passed is None for verdict in verdicts):
        pytest.skip(verdicts[0].reason)
    assert [verdict.passed for verdict in verdicts] == [True, False, False, False, True]


def test_names_of_older_files_and_numbers_as_truths_are_read() -> None:
    columns = {"metric": ["AIME1983"], "gt_output": [25.0], "input_tokens": [[1, 2]], "text_input": ["?"]}
    (row,) = deepseek_rows.SCHEMA.samples(columns, "made")
    assert (row.subset, row.truth, row.prompt_ids, row.prompt) == ("aime", "25", (1, 2), "?")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"dataset": ["gsm8k"], "ground_truth": ["1"], "tok_input": [[1]]}, "row 0, column dataset: 'gsm8k'"),
        ({"dataset": ["aime"], "ground_truth": ["1"]}, "no column tok_input"),
        ({"dataset": ["aime"], "ground_truth": ["1"], "tok_input": [[]]}, "row 0, column tok_input"),
        ({"question": ["?"]}, "no column dataset, ground_truth"),
    ],
)
def test_another_dataset_is_named(columns: dict[str, list[object]], words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        deepseek_rows.SCHEMA.samples(columns, "made")
