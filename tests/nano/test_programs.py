"""The grammar's right answers are right: their programs pass when graded, and do not when their sense is changed."""

from __future__ import annotations

from random import Random

import pytest

from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.programs.program import Program
from assay.nano.grammar.program import write_program
from assay.nano.grammar.step import LANGUAGES

NUM_EACH = 15


@pytest.mark.slow
def test_right_programs_pass_in_all_six_languages_and_wrong_ones_fail() -> None:
    samples = [write_program(Random(i), language) for language in LANGUAGES for i in range(NUM_EACH)]

    def verdicts(change: tuple[str, str]) -> list[bool | None]:
        codes = [s.answer.split("```")[0].replace(*change) for s in samples]
        programs = [Program(s.language, s.entry_point, code, s.truth) for s, code in zip(samples, codes)]
        return [verdict.passed for verdict in Grade()(programs).verdicts]

    assert verdicts(("", "")) == [True] * len(samples)
    assert verdicts(("return ", "retrun ")) == [False] * len(samples)
