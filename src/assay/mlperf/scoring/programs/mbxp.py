"""MBXP: the program in an answer, and the verdict on it. `grader.py` runs the program.

Source of every rule here: evaluate-accuracy.py of the mixtral-8x7b reference (mxeval e09974f9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.mlperf.data.sample import Sample

FENCE = "```"
GRADED = ("cpp", "javascript", "php", "python", "ruby", "typescript")
"""Languages that count; a sample of any other is left out of both sides of pass@1."""


@dataclass(frozen=True)
class Program:
    """One answer made ready to run: `solution` first, then `test`, with nothing between."""

    language: str
    entry_point: str
    solution: str
    test: str


@dataclass(frozen=True)
class ProgramVerdict:
    """`passed` is None when the program could not be graded; `reason` then says what is missing."""

    passed: bool | None
    reason: str = ""


STARVED = ProgramVerdict(
    None, "out of time because other processes kept the processors: score again when the machine is quiet"
)


@dataclass(frozen=True)
class Grading:
    """One verdict for each program, in order, and what held the programs while they ran."""

    verdicts: Sequence[ProgramVerdict]
    sandbox: Mapping[str, object] = field(default_factory=dict)


Grader = Callable[[Sequence[Program]], Grading]


def program(sample: Sample, answer: str) -> Program:
    """The program of an MBXP answer: cut at the first code fence, Markdown's escaped `_` undone.

    The prompt is not put in front: the model repeats its code.
    """
    language, entry_point = sample.id.split("_", 1)
    solution = answer.split(FENCE, 1)[0]
    if language == "python":
        solution = solution.lstrip()
    return Program(language, entry_point, solution.replace("\\_", "_"), sample.truth)
