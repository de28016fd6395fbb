"""LiveCodeBench: does a program give the right output for every input of its problem?

The program runs in the sandbox with the inputs alone; what it gave is compared here, where it cannot reach.
Source of every rule: lcb_runner/evaluation of LiveCodeBench b1e7cab, which the references of deepseek-r1 and
gpt-oss-120b run with 60 s for each test. Two things differ: a value that only claims to equal the right one is wrong
here, and there is no limit over all programs together.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf.scoring.programs import code_problems
from assay.mlperf.scoring.programs import language as languages
from assay.mlperf.scoring.programs.code_problems import CodeProblem, ProblemFiles
from assay.mlperf.scoring.programs.program import Program, ProgramVerdict, unfinished
from assay.sandbox.sandbox import ProgramOutcome, Sandbox

LANGUAGE = "livecodebench"
SECONDS = 60
"""For one test, in whole seconds."""
ROOM_CHARS = 4096
"""What an answer may be longer than twice the longest right one; blanks and zeros make a right answer longer."""
NO_TESTS = EnvironmentProblem(
    "the tests of LiveCodeBench were not given",
    "--lcb-tests with test.jsonl of livecodebench/code_generation_lite, or a folder with its test*.jsonl",
)
_TRIAL = CodeProblem("twice", ("1", "2"), ("2", "4"))


@dataclasses.dataclass(frozen=True)
class CodeRunner:
    """Runs programs of LiveCodeBench. Made by `runner`."""

    sandbox: Sandbox
    language: languages.Language
    seconds: int = SECONDS

    def run(self, problem: CodeProblem, code: str) -> ProgramVerdict:
        """The verdict on one program; ungraded where the sandbox failed."""
        most = 2 * max(map(len, problem.outputs), default=0) + ROOM_CHARS
        tests = len(problem.inputs)
        limits = dataclasses.replace(
            self.sandbox.limits,
            wall_s=(self.seconds + 1) * tests + 5,  # as the reference kills a program that its alarms do not
            output_bytes=tests * (4 * most + 64) + ROOM_CHARS,
        )
        exam = {
            "code": code,
            "fn_name": problem.fn_name,
            "inputs": problem.inputs,
            "seconds": self.seconds,
            "most": most,
        }
        tools, content = self.language, json.dumps(exam).encode()
        return judged(
            problem, self.sandbox.run(tools.command, "", content, tools.readable, tools.env, limits)
        )


def runner(sandbox: Sandbox, tests: Path | None) -> Callable[[Program], ProgramVerdict] | ProgramVerdict:
    """What gives the verdict on a program, once it is proved to work here; else the verdict on every program.

    tests: the problems' file or folder. Raises: EnvironmentProblem without it; ArtifactError for one that holds no
    problems.
    """
    if tests is None:
        raise NO_TESTS
    problems = code_problems.find(tests)
    ours = CodeRunner(sandbox, languages.find(LANGUAGE))
    right, wrong = (ours.run(_TRIAL, each.solution) for each in (ours.language.right, ours.language.wrong))
    if right.passed is True and wrong.passed is False:
        return lambda program: _verdict(ours, problems, program)
    return ProgramVerdict(
        None, f"Python does not work in the sandbox ({right.reason or 'a wrong program passed'})"
    )


def _verdict(ours: CodeRunner, problems: ProblemFiles, program: Program) -> ProgramVerdict:
    try:
        problem = problems.problem(program.entry_point)
    except ArtifactError as error:
        return ProgramVerdict(None, error.message)
    if problem is None or not problem.inputs:
        return ProgramVerdict(None, f"{problems.path} has no tests of {program.entry_point}")
    return ours.run(problem, program.solution)


def judged(problem: CodeProblem, outcome: ProgramOutcome) -> ProgramVerdict:
    """The verdict on a program's outputs."""
    if (verdict := unfinished(outcome)) is not None:
        return verdict
    lines = outcome.output.split("\n")
    for number, right in enumerate(problem.outputs):
        try:
            told = json.loads(lines[number])
        except (IndexError, ValueError, RecursionError):
            return ProgramVerdict(False, f"test {number + 1}: ended without an answer")
        if isinstance(told, dict):
            return ProgramVerdict(False, f"test {number + 1}: {told.get('stopped')}")
        if not isinstance(told, list) or len(told) != 1:  # the program can write here, too
            return ProgramVerdict(False, f"test {number + 1}: ended without an answer")
        if not (is_value if problem.fn_name is not None else is_text)(told[0], right):
            return ProgramVerdict(False, f"test {number + 1}: wrong answer")
    return ProgramVerdict(True)


def is_value(given: Any, right: str) -> bool:
    """Is it the value that this JSON says? Python compares them, so 1, 1.0 and true are equal."""
    return bool(given == json.loads(right))


def is_text(given: Any, right: str) -> bool:
    """Are these lines, without the blanks at their ends, the right ones: each as text, or as a row of numbers?

    What is no list of lines is wrong.
    """
    if not isinstance(given, list) or not all(isinstance(line, str) for line in given):
        return False
    wanted = [line.strip() for line in right.strip().split("\n")]
    return len(given) == len(wanted) and all(
        ours == theirs or _are_numbers(ours, theirs) for ours, theirs in zip(given, wanted, strict=True)
    )


def _are_numbers(given: str, right: str) -> bool:
    try:
        return [Decimal(word) for word in given.split()] == [Decimal(word) for word in right.split()]
    except InvalidOperation:
        return False
