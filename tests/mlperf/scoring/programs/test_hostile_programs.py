"""Programs of six languages that leave early, fail, never end or reach for what decides: none passes, none is ungraded.

Right programs that do unusual things pass beside them. What cannot be forged, and why: docs/adr/0006-verdicts.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from assay.ground.errors import EnvironmentProblem
from assay.mlperf.scoring.programs import grader, language
from assay.mlperf.scoring.programs.mbxp import GRADED
from assay.mlperf.scoring.programs.program import Program
from assay.sandbox.isolation import Isolation, Unshare
from assay.sandbox.sandbox import Sandbox

from .attacks import HOSTILE, RIGHT

SECONDS = 2.0
"""Of each hostile program; a right one has as long as ever."""
AT_ONCE = ("each answer tried in a child of its own", "each answer tried in a child whose proof is passed on")
"""Tried in the fast tests; the slow ones try all."""
INCLUDES = "#include <bits/stdc++.h>\n#include <signal.h>\n#include <sys/wait.h>\n#include <unistd.h>\n"
REST = {
    "python": ("{}", "def check(f): assert f(2) == 4"),
    "javascript": ("{}\nconst f = () => [1]", "\nif (!require('lodash').isEqual(f(), [1])) throw 1"),
    "php": ("{}", ""),
    "ruby": ("{}\ndef f() 1 end", "\nraise 'wrong' if f() != 1"),
    "cpp": (INCLUDES + "{}", "\nint main() { return f() - 1; }"),
    "typescript": ("{}", "\nimport * as assert from 'assert'\nassert.deepEqual(f(), [1])"),
}
"""Language -> (what stands around the program, the test after it)."""


def tools(name: str) -> language.Language:
    try:
        return language.find(name)
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)


def verdict(box: Sandbox, name: str, program: str) -> bool | None:
    around, test = REST[name]
    found = replace(tools(name), wall_s=SECONDS)
    solution = around.replace("{}", program)
    return grader.run(box, found, language.content(Program(name, "f", solution, test))).passed


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_child_proves_nothing_for_its_parent(box: Sandbox, name: str) -> None:
    (program,) = (program for _, what, program in HOSTILE if what == name)
    assert verdict(box, "python", program) is False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "what", "program"), HOSTILE, ids=[f"{name}: {what}" for name, what, _ in HOSTILE]
)
def test_a_hostile_program_has_failed(box: Sandbox, name: str, what: str, program: str) -> None:
    assert verdict(box, name, program) is False, what


@pytest.mark.slow
@pytest.mark.parametrize("isolation", [None, Unshare()], ids=["as it is chosen", "unshare"])
@pytest.mark.parametrize(("name", "program", "test"), RIGHT)
def test_a_right_program_passes_whatever_else_it_does(
    box: Sandbox, name: str, program: str, test: str, isolation: Isolation | None
) -> None:
    held = replace(box, isolation=isolation or box.isolation)
    source = language.content(Program(name, "f", program, test))
    assert grader.run(held, tools(name), source).passed is True


def test_each_language_is_attacked() -> None:
    counts = Counter(name for name, _, _ in HOSTILE)
    assert set(counts) == set(GRADED)
    assert sum(counts.values()) >= 130 and min(counts.values()) >= 9
