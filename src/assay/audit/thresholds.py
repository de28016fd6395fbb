"""Checks of scores against thresholds: those printed, those of the round, and the verdict between them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.audit.subject import Subject, near
from assay.doors.readme_results import Claim
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.rounds.target import Target
from assay.mlperf.run.job import is_paired

SAYS_MET = {"met": True, "inside": True, "missed": False, "outside": False}
"""First word of a printed verdict -> whether the target is said to be met."""


def _gated(s: Subject) -> Iterator[tuple[Claim, Target]]:
    """Every claim with the target of its own name."""
    for claim in s.report.claims:
        if claim.metric in s.workload.targets:
            yield claim, s.workload.targets[claim.metric]


def _thresholds(s: Subject) -> Iterator[Finding]:
    """R1: a printed threshold is that of its own metric, in the round."""
    for claim, target in _gated(s):
        if claim.low is None or (target.low is not None and near(claim.low, target.low)):
            continue
        lows = ((t.metric, t.low) for t in s.workload.targets.values() if t.low is not None)
        owner = next((metric for metric, low in lows if near(claim.low, low)), None)
        whose = f", which is {owner}'s" if owner else ", which is no target of the round"
        yield s.finding(
            "R1",
            Severity.ERROR,
            claim.line,
            f"{claim.printed} is held against {'the threshold of another metric' if owner else 'a wrong threshold'}",
            f">= {claim.low:g}{whose}",
            f">= {target.low:g}" if target.low is not None else "no lower threshold",
        )


def _upper_limits(s: Subject) -> Iterator[Finding]:
    """R2: an upper limit is printed where there is one, and a value above it is said to be."""
    for claim, target in _gated(s):
        if target.high is None or (claim.high is not None and near(claim.high, target.high)):
            continue
        if claim.high is None:
            is_above = claim.value is not None and claim.value > target.high
            above = f"; {claim.value:g} is above it" if is_above else ""
            message, found = f"the upper limit of {claim.printed} is missing{above}", "no upper limit"
        else:
            message, found = f"a wrong upper limit of {claim.printed}", f"<= {claim.high:g}"
        yield s.finding("R2", Severity.ERROR, claim.line, message, found, f"<= {target.high:g}")


def _targets_met(s: Subject) -> Iterator[Finding]:
    """R12: for a claim with its own right threshold beside it, a note when it is not met."""
    for claim, target in _gated(s):
        if claim.value is not None and target.low is not None and claim.value < target.low:
            yield s.finding(
                "R12",
                Severity.NOTE,
                claim.line,
                f"{claim.printed} is below its target",
                f"{claim.value:g}",
                f">= {target.low:g}",
            )


def _verdicts(s: Subject) -> Iterator[Finding]:
    """R13: a printed verdict is the one that value and target give.

    A run may be judged answer by answer, which the figures do not show.
    """
    if s.asked is not None and is_paired(s.asked, s.workload):
        return
    for claim, target in _gated(s):
        said = SAYS_MET.get(claim.verdict.lower().partition(",")[0].strip())
        if said is None or claim.value is None:
            continue
        limits = [limit for limit in (target.low, target.high) if limit is not None]
        is_told_apart = not any(near(claim.value, limit) for limit in limits)
        if is_told_apart and said != _is_inside(claim.value, target):
            yield s.finding(
                "R13",
                Severity.ERROR,
                claim.line,
                f"the verdict on {claim.printed} is not that of its figures",
                f"{claim.value:g}: {claim.verdict}",
                "not met" if said else "met",
            )


def _is_inside(value: float, target: Target) -> bool:
    is_high_enough = target.low is None or value >= target.low
    return is_high_enough and (target.high is None or value <= target.high)


CHECKS = (_thresholds, _upper_limits, _targets_met, _verdicts)
