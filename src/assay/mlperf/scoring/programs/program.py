"""Program: an answer made ready to run, and the verdict on it. Knows no language and no data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.ground.count import counted

if TYPE_CHECKING:
    from assay.sandbox.sandbox import ProgramOutcome

SAID_MOST = 200
"""Characters of what a sandbox said last that the verdict keeps when it failed."""


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

    @property
    def reason(self) -> str:
        """`no ruby: apt install ruby (33 answers)`, the most frequent reason first; empty when all were graded."""
        reasons = Counter(verdict.reason for verdict in self.verdicts if verdict.passed is None)
        return "; ".join(f"{why} ({counted(count, 'answer')})" for why, count in reasons.most_common())


Grader = Callable[[Sequence[Program]], Grading]


def unfinished(outcome: ProgramOutcome) -> ProgramVerdict | None:
    """The verdict on a program that did not come to its own end; None for one that did."""
    if outcome.status is None:
        said = outcome.output.strip()[-SAID_MOST:]
        return ProgramVerdict(None, f"the sandbox failed: {said or 'no answer in time'}")
    if outcome.starved:
        return STARVED
    return ProgramVerdict(False, "not ended in time") if outcome.timed_out else None
