"""exact_match over answers of which text judges some, and the sandbox others."""

from __future__ import annotations

from collections.abc import Sequence

from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring import exact
from assay.mlperf.scoring.metric import Answered
from assay.mlperf.scoring.programs.program import Grading, Program, ProgramVerdict

RIGHT, WRONG = Program("livecodebench", "q1", "1", ""), Program("livecodebench", "q2", "2", "")
MISSING = Program("livecodebench", "q3", "3", "")


def grade(programs: Sequence[Program]) -> Grading:
    verdicts = {RIGHT: ProgramVerdict(True), WRONG: ProgramVerdict(False, "test 1: wrong answer")}
    return Grading(
        [verdicts.get(each, ProgramVerdict(None, "no tests")) for each in programs], {"safe": True}
    )


def never(programs: Sequence[Program]) -> Grading:
    raise AssertionError("there is no program")


def test_text_alone_opens_no_sandbox() -> None:
    found = exact.judged([True, False], never)
    assert (found.verdicts, found.reason, found.sandbox, found.ungraded) == ([True, False], "", {}, 0)


def test_programs_get_their_verdicts_in_the_order_of_the_answers() -> None:
    found = exact.judged([WRONG, True, RIGHT, MISSING, False, MISSING], grade)
    assert found.verdicts == [False, True, True, None, False, None]
    assert (found.ungraded, found.reason) == (2, "no tests (2 answers)")
    assert found.sandbox == {"safe": True}


def test_each_subset_counts_its_own() -> None:
    answered = [
        Answered(Sample(i, "", name, "", (), "", (), ()), "") for i, name in enumerate(("b", "a", "b", "b"))
    ]
    assert exact.by_subset(answered, [True, False, None, False]) == {
        "a": {"right": 0, "judged": 1, "ungraded": 0},
        "b": {"right": 1, "judged": 2, "ungraded": 1},
    }
