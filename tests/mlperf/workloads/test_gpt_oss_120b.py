"""gpt-oss-120b: where an answer stands in the Harmony format, and how its questions are weighed."""

from __future__ import annotations

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring import harmony
from assay.mlperf.scoring.metric import Answered, Answers
from assay.mlperf.scoring.programs.program import Grading, ProgramVerdict
from assay.mlperf.workloads.datasets import gpt_oss_rows
from assay.mlperf.workloads.scorers import gpt_oss_scorers

FINAL = "<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        (f"answer: B{FINAL}**C**<|return|> D", "C"),
        (f"{FINAL}(d)", "D"),
        (f"{FINAL}A good choice is B", "A"),
        (f"{FINAL}It is. Answer B, or answer: C", "B"),
        (f"ANSWER: B. {FINAL}I am sure", "B"),
        ("<|channel|>final 1<|message|>C<|return|>", "C"),
        (f"{FINAL}A<|return|>{FINAL}B", "A"),
        ("no letter", None),
        ("", None),
    ],
)
def test_the_letter_of_a_harmony_answer(text: str, letter: str | None) -> None:
    assert harmony.letter(text, "D") == letter


def test_it_is_said_by_what_an_answer_is_judged() -> None:
    read = gpt_oss_scorers.SCORERS[0].reads
    letter = Sample(0, "", "gpqa_diamond", "", (), "C", (), ())
    assert read(Answered(letter, f"{FINAL}(d)")) == "reads the letter D, and C is right"
    program = Sample(0, "", "livecodebench_v6", "", (), "x", (), ())
    assert read(Answered(program, "prose")) == "holds no Python program"
    assert read(Answered(program, f"{FINAL}```python\n1\n```")) == ""


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (f"```python\n1\n```{FINAL}```python\n2\n``` ```python\n3\n```", "3"),
        (f"```python\n1\n```{FINAL}```py\n2\n```", "2"),
        (f"```python\n1\n```{FINAL}none", "1"),
        (f"```python\n1\n```{FINAL}```\n2\n```", "2"),
        ("none", None),
    ],
)
def test_the_program_of_a_harmony_answer(text: str, program: str | None) -> None:
    assert harmony.program(text) == program


def scored(passed: bool | None, subset: str = "livecodebench_v6"):  # type: ignore[no-untyped-def]
    def answered(i: int, subset: str, text: str, truth: str) -> Answered:
        return Answered(Sample(i, "", subset, "", (), truth, (), ()), text, [1])

    each = [
        answered(0, "aime25", r"\boxed{5}", "5"),
        answered(1, "gpqa_diamond", f"{FINAL}B", "A"),
        answered(2, subset, "```python\npass\n```", "q1"),
    ]
    of = Answers(each, 3, 3, lambda p: Grading([ProgramVerdict(passed, "no tests") for _ in p]))
    return gpt_oss_scorers.SCORERS[0].score(of)[0]


def test_a_question_asked_often_weighs_less() -> None:
    assert scored(True).value == round(100 * (1 / 8 + 1 / 3) / (1 / 8 + 1 / 5 + 1 / 3), 3)
    assert scored(False).value == round(100 * (1 / 8) / (1 / 8 + 1 / 5 + 1 / 3), 3)


def test_without_tests_there_is_no_score() -> None:
    assert (scored(None).value, scored(None).ungraded, scored(None).reason) == (
        None,
        1,
        "no tests (1 answer)",
    )


def test_rows_of_the_set_for_performance_runs_are_not_scored() -> None:
    assert scored(True, "cnn").reason.startswith("row 2 is of the set for performance runs")
    with pytest.raises(ArtifactError, match="the set of a performance run"):
        gpt_oss_rows.SCHEMA.scored({"dataset": ["cnn"], "ground_truth": [None]}, "made")
    (row,) = gpt_oss_rows.SCHEMA.samples({"input_tokens": [[1]], "text_input": ["Why"]}, "made")
    assert (row.prompt, row.truth) == ("Why", "")
