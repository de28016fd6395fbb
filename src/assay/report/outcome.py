"""What a run came to, as a job may be judged by it: what was missed, what LoadGen found INVALID, what stays open."""

from __future__ import annotations

from dataclasses import dataclass

from assay.config import Mode
from assay.ground.count import counted
from assay.mlperf.record.result import RunResult, RunValidity, Status
from assay.report import words


@dataclass(frozen=True)
class Outcome:
    """Each entry names its scenario: `Offline ROUGE-1`."""

    missed: tuple[str, ...]
    """Scores outside their target, also where they are over a part of the set."""
    invalid: tuple[str, ...]
    """Runs that are INVALID: by LoadGen's word, or because answers failed."""
    ungraded: tuple[str, ...]
    """Scores that the machine could not make."""
    unscored: tuple[str, ...]
    """Accuracy runs without a single score, as for want of a tokenizer."""

    met: tuple[str, ...]
    valid: tuple[str, ...]
    performance_only: str = ""
    """Why there are and can be no scores; empty where there can."""
    unfinished: str = ""
    """Status and reason of a job that did not end: the rest is of what was finished before."""
    is_fake: bool = False
    """The answers are no model's: what they came to is worth nothing."""
    is_whole_set: bool = True
    """The scores are over the set that the targets speak of: only then is a target met or missed."""

    @property
    def is_good(self) -> bool:
        return not (self.unfinished or self.missed or self.invalid or self.ungraded or self.unscored)

    @property
    def verdicts(self) -> tuple[str, str]:
        """Words for a score inside its target and for one outside."""
        return ("met", "missed") if self.is_whole_set else ("inside", "outside")

    def __str__(self) -> str:
        """`1 target missed (Offline ROUGE-1), 5 met, Server INVALID`; of a part of the set, `6 scores inside (…)`. One
        line, which may be pasted alone: of a fake it begins with FAKE."""
        return f"FAKE: {self._told()}" if self.is_fake else self._told()

    def _told(self) -> str:
        met, missed = self.verdicts
        what, part = ("target", "") if self.is_whole_set else ("score", "part of the set")
        said = []
        if self.missed:
            named = ", ".join(self.missed)
            said.append(f"{counted(len(self.missed), what)} {missed} ({part and f'{part}: '}{named})")
        if self.ungraded:
            said.append(f"{len(self.ungraded)} not graded ({', '.join(self.ungraded)})")
        if self.met:
            count = str(len(self.met)) if said else counted(len(self.met), what)
            said.append(f"{count} {met}{f' ({part})' if part and not self.missed else ''}")
        said += [f"{scenario} answers not scored" for scenario in self.unscored]
        said += [f"{scenario} INVALID" for scenario in self.invalid]
        said += [f"{scenario} VALID" for scenario in self.valid]
        if self.unfinished:
            return f"{self.unfinished}; of what was finished: {', '.join(said)}" if said else self.unfinished
        told = ", ".join(said) or "nothing was judged"
        return f"{told}; performance only ({self.performance_only})" if self.performance_only else told


def of(result: RunResult) -> Outcome:
    scores = [(f"{run.scenario} {words.title(s.metric)}", s) for run in result.runs for s in run.scores]
    return Outcome(
        missed=tuple(name for name, score in scores if score.met is False),
        invalid=tuple(str(run.scenario) for run in result.runs if run.is_invalid),
        ungraded=tuple(name for name, score in scores if score.met is None and score.ungraded),
        unscored=tuple(
            str(run.scenario)
            for run in result.runs
            if run.mode is Mode.ACCURACY and not run.scores and not result.performance_only
        ),
        met=tuple(name for name, score in scores if score.met),
        valid=tuple(
            str(run.scenario)
            for run in result.runs
            if run.validity is RunValidity.VALID and not run.is_invalid
        ),
        performance_only=result.performance_only,
        unfinished=""
        if result.status is Status.COMPLETE
        else f"{result.status}: {result.reason}".rstrip(": "),
        is_fake=result.is_fake,
        is_whole_set=result.scored_dataset.is_whole_set,
    )
