"""exact_match over answers of which some are judged by text, and some by a program in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.mlperf.scoring.metric import Answered
from assay.mlperf.scoring.programs.program import Grader, Program

Judgement = bool | Program
"""Right or wrong, or the program whose passing makes the answer right."""


@dataclass(frozen=True)
class Judged:
    """One verdict for each answer: True, False, or None where it could not be graded."""

    verdicts: Sequence[bool | None]
    reason: str
    """Why some were not graded; empty when all were."""
    sandbox: Mapping[str, object]

    @property
    def ungraded(self) -> int:
        return sum(verdict is None for verdict in self.verdicts)


def judged(judgements: Sequence[Judgement], grade: Grader) -> Judged:
    """Runs what must be run, all in one call."""
    programs = [each for each in judgements if isinstance(each, Program)]
    if not programs:
        return Judged([bool(each) for each in judgements], "", {})
    grading = grade(programs)
    found = iter(grading.verdicts)
    verdicts = [next(found).passed if isinstance(each, Program) else each for each in judgements]
    return Judged(verdicts, grading.reason, grading.sandbox)


def by_subset(answered: Sequence[Answered], verdicts: Sequence[bool | None]) -> dict[str, dict[str, int]]:
    """Subset -> how many answers to it are right, judged and ungraded."""
    table: dict[str, dict[str, int]] = {}
    for each, verdict in zip(answered, verdicts, strict=True):
        row = table.setdefault(each.sample.subset, {"right": 0, "judged": 0, "ungraded": 0})
        row["right"] += verdict is True
        row["judged"] += verdict is not None
        row["ungraded"] += verdict is None
    return dict(sorted(table.items()))
