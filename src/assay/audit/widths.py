"""Checks of the width that token ids were scored with: int64 read as int32 doubles the tokens per sample."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.audit.subject import Subject, near
from assay.doors.readme_results import Claim
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.logs.width import Misread, misread

LOG_INT64 = ("mixtral-8x7b", "llama2-70b-99", "llama2-70b-99.9")
"""Workloads whose reference SUT logs int64 in Offline. Source: language/*/SUT.py, v4.1 to v5.1."""


def _width(s: Subject) -> Iterator[Finding]:
    """R15: by the logs beside the report, else inferred from who ran and scored."""
    for claim in s.report.claims:
        wrong = _misread(s, claim)
        if wrong is not None and claim.value is not None:
            yield s.finding(
                "R15",
                Severity.ERROR,
                claim.line,
                f"{wrong.logged} ids were scored as {wrong.scored}: {wrong.evidence}",
                f"{claim.printed} {claim.value:g}",
                f"{wrong.tokens_per_sample:g}",
            )


def _misread(s: Subject, claim: Claim) -> Misread | None:
    if claim.metric != "tokens_per_sample" or not claim.value:
        return None
    beside = s.files[claim.scenario]
    if beside.performance is not None or beside.answers is not None:
        performed = beside.performance.tokens_per_sample if beside.performance is not None else None
        return misread(claim.value, beside.answers, performed)
    if not _logs_int64(s) or not _may_be_doubled(s, claim.value):
        return None
    why = "inferred: no log is at hand, the reference SUT logs int64 in Offline, and CM and MLC score int32"
    return Misread("int64", "int32", claim.value / 2, why)


def _logs_int64(s: Subject) -> bool:
    """A run of the reference implementation by CM or MLC, in Offline."""
    report = s.report
    words = {*report.variations, (report.env("MLPERF_IMPLEMENTATION") or "").lower()}
    is_reference = "reference" in words or re.search(r"^Platform: \S*-reference-", report.text, re.MULTILINE)
    scenario = (report.env("MLPERF_LOADGEN_SCENARIO") or "").lower()
    is_server = "server" in (*report.variations, scenario)
    return report.is_cm and bool(is_reference) and not is_server and s.workload.key in LOG_INT64


def _may_be_doubled(s: Subject, value: float) -> bool:
    """Whether the tokens of all samples are an even number, where their count is known."""
    count = s.report.env("TEST_QUERY_COUNT", "MLPERF_LOADGEN_QUERY_COUNT") or ""
    return count.isdecimal() and near(value * int(count) % 2, 0, slack=1e-6)


def true_length(s: Subject, claim: Claim) -> float | None:
    """Tokens per sample of a claim, put right where it is misread."""
    wrong = _misread(s, claim)
    return claim.value if wrong is None else wrong.tokens_per_sample


CHECKS = (_width,)
