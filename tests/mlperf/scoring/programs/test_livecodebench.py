from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf.scoring.programs import code_problems, language, livecodebench
from assay.mlperf.scoring.programs.code_problems import CodeProblem
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.programs.livecodebench import CodeRunner
from assay.mlperf.scoring.programs.program import STARVED, Program
from assay.sandbox import sandbox
from assay.sandbox.sandbox import ProgramOutcome

from .code_cases import CASES, CHEATS, SECONDS, Case

TWICE = CodeProblem("twice", ("1", "2"), ("2", "4"))


def write(path: Path, cases: tuple[Case, ...]) -> Path:
    path.write_text("".join(case.line(is_packed=i % 2 == 0) + "\n" for i, case in enumerate(cases)))
    return path


def outcome(output: str, status: int | None = 0, **more: bool) -> ProgramOutcome:
    return ProgramOutcome(status, more.get("timed_out", False), output, more.get("starved", False))


def verdicts(path: Path, cases: tuple[Case, ...]) -> dict[str, bool | None]:
    problems = code_problems.find(write(path, cases))
    with sandbox.opened(4) as walls, ThreadPoolExecutor(4) as pool:
        ours = CodeRunner(walls, language.find("livecodebench"), SECONDS)

        def verdict(case: Case) -> bool | None:
            problem = problems.problem(case.id)
            assert problem is not None
            return ours.run(problem, case.code).passed

        return dict(zip((case.id for case in cases), pool.map(verdict, cases), strict=True))


def test_no_cheat_is_believed_and_the_time_limit_holds(tmp_path: Path) -> None:
    slow = tuple(case for case in CASES if case.id in ("slow-0", "slow-1", "forever-0", "forever-3"))
    assert verdicts(tmp_path / "test.jsonl", (*CHEATS, *slow)) == {
        case.id: case.is_right for case in (*CHEATS, *slow)
    }


@pytest.mark.slow
def test_every_answer_gets_the_verdict_that_livecodebench_gives_it(tmp_path: Path) -> None:
    assert verdicts(tmp_path / "test.jsonl", CASES) == {case.id: case.is_right for case in CASES}


def test_the_grader_runs_programs_by_the_tests_that_it_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "test.jsonl", CASES)
    wanted = ("addUp-0", "addUp-1", "plus-0", "not-there")
    programs = [
        Program("livecodebench", name, next((c.code for c in CASES if c.id == name), ""), "")
        for name in wanted
    ]
    grading = Grade(workers=2, lcb_tests=path)(programs)
    assert [verdict.passed for verdict in grading.verdicts] == [True, False, True, None]
    assert grading.verdicts[3].reason == f"{path} has no tests of not-there"
    assert grading.sandbox["safe"] is True


def test_without_tests_a_program_is_not_graded_and_the_option_is_named() -> None:
    verdict = Grade(workers=1)([Program("livecodebench", "q", "print(1)", "")]).verdicts[0]
    assert verdict.passed is None and "--lcb-tests" in verdict.reason
    with sandbox.opened(1) as walls, pytest.raises(EnvironmentProblem, match="were not given"):
        livecodebench.runner(walls, None)


def test_a_problem_whose_tests_cannot_be_read_leaves_the_others_graded(tmp_path: Path) -> None:
    path = write(tmp_path / "test.jsonl", CASES[:1])
    row = {**json.loads(CASES[1].line(is_packed=False)), "private_test_cases": "%%"}
    path.write_text(path.read_text() + json.dumps(row) + "\n")
    programs = [Program("livecodebench", case.id, case.code, "") for case in CASES[:2]]
    right, unread = Grade(workers=1, lcb_tests=path)(programs).verdicts
    assert right.passed is True
    assert unread.passed is None and "its tests cannot be read" in unread.reason
    with sandbox.opened(1) as walls, pytest.raises(ArtifactError):
        livecodebench.runner(walls, tmp_path / "nothing.jsonl")


def test_the_verdict_follows_from_what_the_program_told() -> None:
    judged = livecodebench.judged
    assert judged(TWICE, outcome("[2]\n[4.0]\n")).passed is True
    assert judged(TWICE, outcome("[2]\n[5]\n")).reason == "test 2: wrong answer"
    assert judged(TWICE, outcome("[2]\n")).reason == "test 2: ended without an answer"
    assert judged(TWICE, outcome('{"stopped": "KeyError: 1"}\n')).reason == "test 1: KeyError: 1"
    assert judged(TWICE, outcome("[2]\n[4]\n", timed_out=True)).passed is False
    assert judged(TWICE, outcome("", timed_out=True, starved=True)) is STARVED
    failed = judged(TWICE, outcome("no bwrap", None))
    assert (failed.passed, failed.reason) == (None, "the sandbox failed: no bwrap")


@pytest.mark.parametrize(
    "told", ["null", "[]", "5", '""', "[NaN, 2]", "[[5]]", "[null]", "[true]", "[[[[]]]]", "[" * 9999]
)
@pytest.mark.parametrize("fn_name", ["twice", None])
def test_what_a_program_writes_past_the_driver_is_no_answer(fn_name: str | None, told: str) -> None:
    verdict = livecodebench.judged(CodeProblem(fn_name, ("1",), ("2",)), outcome(f"{told}\n"))
    assert verdict.passed is False


def test_an_answer_that_was_too_long_to_be_told_is_not_the_empty_one() -> None:
    assert (
        livecodebench.judged(CodeProblem(None, ("1",), ("",)), outcome('[{"": "no value of JSON"}]\n')).passed
        is False
    )


@pytest.mark.parametrize(
    ("given", "right", "is_right"),
    [
        (["7"], "7\n", True),
        (["7.0", "a b"], " 7 \n  a b", True),
        (["a  b"], "a b", False),
        (["1 2"], "1", False),
        (["1", ""], "1", False),
        (["nan"], "nan ", True),
        (["nan"], "NaN", False),
        (["snan"], "1", False),
        (["0.1"], "1e-1", True),
        (["100000000000000000001"], "100000000000000000000", False),
    ],
)
def test_lines_are_equal_as_text_or_as_rows_of_numbers(given: list[str], right: str, is_right: bool) -> None:
    assert livecodebench.is_text(given, right) is is_right


@pytest.mark.parametrize(
    ("given", "right", "is_right"),
    [
        (1, "true", True),
        (1.0, "1", True),
        ("1", "1", False),
        ([], "[]", True),
        (None, "null", True),
        ([1], "1", False),
    ],
)
def test_values_are_equal_as_python_compares_them(given: object, right: str, is_right: bool) -> None:
    assert livecodebench.is_value(given, right) is is_right
