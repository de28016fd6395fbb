"""Checks of how much was measured: the samples that scores are over, and metrics that are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.audit.subject import Subject
from assay.doors.readme import PublishedReport
from assay.mlperf.checker.finding import Finding, Severity


def _sample_size(s: Subject) -> Iterator[Finding]:
    """R5: scores over a part of the set."""
    count = _query_count(s)
    scored = [claim for claim in s.report.claims if claim.value is not None]
    if count is None or count >= s.workload.dataset_samples or not scored:
        return
    is_declared, whole = _declares(s.report), s.workload.dataset_samples
    yield s.finding(
        "R5",
        Severity.NOTE if is_declared else Severity.ERROR,
        scored[0].line,
        f"the scores are over {count} of {whole} samples"
        + (", and the report says so" if is_declared else ", and the report does not say so"),
        ", ".join(f"{c.printed} {c.value:g}" for c in scored),
        f"{whole} samples for a closed target"
        if is_declared
        else f"n beside each score, or all {whole} samples",
        f"nothing in the report; a run over all {whole} samples for a closed target" if is_declared else "",
    )


def _query_count(s: Subject) -> int | None:
    """Samples that the run was over: as its command asks, else as the report says, else as the accuracy log does."""
    text = s.report.env("TEST_QUERY_COUNT", "MLPERF_LOADGEN_QUERY_COUNT") or s.report.option(
        "test_query_count"
    )
    if text and text.isdecimal():
        return int(text)
    logged = [count for evidence in s.files.values() if (count := evidence.samples) is not None]
    return s.report.samples or min(logged, default=None)


def _declares(report: PublishedReport) -> bool:
    """True when the report itself, outside its command, says over how many samples its scores are."""
    start = report.text.lower().find("## results")
    results = report.text[start:] if start >= 0 else report.text
    said = r"\bn\s*=\s*\d+|\bover \d+ samples?\b|\b\d+ of \d+\b|\|\s*n\s*\|"
    return re.search(said, results, re.IGNORECASE) is not None


def _logged_samples(s: Subject) -> Iterator[Finding]:
    """R5: more samples said than the accuracy log knows of."""
    said = [(c.line, f"{c.printed}: n = {c.n}", c.n, c.scenario) for c in s.report.claims if c.n is not None]
    if s.report.samples is not None:
        shown = f"{s.report.samples} samples used"
        said += [(s.report.samples_line, shown, s.report.samples, scenario) for scenario in s.files]
    for line, shown, count, scenario in said:
        logged = s.files[scenario].samples
        if logged is not None and count > logged:
            message = "more samples than the accuracy log has"
            yield s.finding("R5", Severity.ERROR, line, message, shown, f"at most {logged}")


def _absent(s: Subject) -> Iterator[Finding]:
    """R6: metrics of the round that the report leaves out in silence."""
    for scenario in s.files:
        claims = [claim for claim in s.report.claims if claim.scenario == scenario]
        named = {claim.metric for claim in claims}
        absent = [m for m in s.workload.targets if m not in named and not _said_absent(s.report, m)]
        if claims and absent:
            yield s.finding(
                "R6",
                Severity.ERROR,
                claims[0].line,
                "gated metrics are absent",
                "no " + ", ".join(absent),
                ", ".join(s.workload.targets),
            )


def _said_absent(report: PublishedReport, metric: str) -> bool:
    pattern = rf"{re.escape(metric)}\W.{{0,60}}not measured"
    return re.search(pattern, report.text, re.IGNORECASE) is not None


CHECKS = (_sample_size, _logged_samples, _absent)
