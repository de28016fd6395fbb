"""Checks of what a report claims: thresholds, limits, units, precision, sample counts, its own log."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.audit.subject import Subject, near
from assay.audit.words import PRECISIONS, precision
from assay.doors.readme import PublishedReport
from assay.mlperf.checker.finding import Finding, Severity


def _thresholds(s: Subject) -> Iterator[Finding]:
    """R1: a printed threshold is that of its own metric, in the round."""
    for claim in s.report.claims:
        target = s.workload.targets.get(claim.metric)
        if target is None or claim.low is None or (target.low is not None and near(claim.low, target.low)):
            continue
        owner = next(
            (t.metric for t in s.workload.targets.values() if t.low is not None and near(claim.low, t.low)),
            None,
        )
        whose = f", which is {owner}'s" if owner else ", which is no target of the round"
        expected = f">= {target.low:g}" if target.low is not None else "no lower threshold"
        yield s.finding(
            "R1",
            Severity.ERROR,
            claim.line,
            f"{claim.printed} is held against the threshold of another metric"
            if owner
            else f"{claim.printed} is held against a wrong threshold",
            f">= {claim.low:g}{whose}",
            expected,
        )


def _upper_limits(s: Subject) -> Iterator[Finding]:
    """R2: an upper limit is printed where there is one, and a value above it is said to be."""
    for claim in s.report.claims:
        target = s.workload.targets.get(claim.metric)
        if target is None or target.high is None:
            continue
        if claim.high is None:
            above = f"; {claim.value:g} is above it" if claim.value > target.high else ""
            yield s.finding(
                "R2",
                Severity.ERROR,
                claim.line,
                f"the upper limit of {claim.printed} is missing{above}",
                "no upper limit",
                f"<= {target.high:g}",
            )
        elif not near(claim.high, target.high):
            yield s.finding(
                "R2",
                Severity.ERROR,
                claim.line,
                f"a wrong upper limit of {claim.printed}",
                f"<= {claim.high:g}",
                f"<= {target.high:g}",
            )


def _targets_met(s: Subject) -> Iterator[Finding]:
    """R12: for a claim with its own right threshold beside it, a note when it is not met."""
    for claim in s.report.claims:
        target = s.workload.targets.get(claim.metric)
        if target is not None and target.low is not None and claim.value < target.low:
            yield s.finding(
                "R12",
                Severity.NOTE,
                claim.line,
                f"{claim.printed} is below the closed division's target",
                f"{claim.value:g}",
                f">= {target.low:g}",
            )


def _units(s: Subject) -> Iterator[Finding]:
    """R3: samples/s that are tokens/s, by the log, or inferred from what the writer prints."""
    if "tokens" not in s.workload.result_unit.lower():
        return
    for figure in s.report.figures:
        if "sample" not in figure.label.lower() or "second" not in figure.label.lower():
            continue
        if s.log is not None:
            samples = s.log.number("result_samples_per_second") or s.log.number(
                "result_completed_samples_per_sec"
            )
            tokens = s.log.number("result_tokens_per_second") or s.log.number(
                "result_completed_tokens_per_second"
            )
            if tokens and near(figure.value, tokens) and not (samples and near(samples, tokens)):
                yield s.finding(
                    "R3",
                    Severity.ERROR,
                    figure.line,
                    "tokens/s printed as samples/s",
                    f"{figure.label}: {figure.value:g}",
                    f"{samples or 0:g} samples/s, {tokens:g} tokens/s",
                )
        elif _is_cm(s.report):
            yield s.finding(
                "R3",
                Severity.ERROR,
                figure.line,
                "tokens/s printed as samples/s (inferred: no log is at hand, and CM prints the checker's metric "
                "under a label of its own)",
                f"{figure.label}: {figure.value:g}",
                f"{figure.value:g} {s.workload.result_unit}, about {_per_sample(s, figure.value)}",
            )


def _per_sample(s: Subject, tokens_per_s: float) -> str:
    length = next((c.value for c in s.report.claims if c.metric == "tokens_per_sample"), 0.0)
    if not length:
        return "unknown samples/s"
    return f"{tokens_per_s / length:.3g} samples/s at {length:g} tokens per sample"


def _is_cm(report: PublishedReport) -> bool:
    return bool(report.options) and report.words[:1] != ("assay",)


def _precision(s: Subject) -> Iterator[Finding]:
    """R4: the precision claimed against the one asked for."""
    asked = s.report.env("MLPERF_MODEL_PRECISION") or s.report.option("precision")
    tagged = next((v for v in s.report.variations if v in PRECISIONS), None)
    claimed = s.report.precision
    for wanted in dict.fromkeys(filter(None, (asked, tagged))):
        if claimed and precision(claimed) != precision(wanted):
            yield s.finding(
                "R4",
                Severity.ERROR,
                s.report.precision_line,
                "another precision than the command asks for",
                claimed,
                wanted,
            )
            return


def _query_count(report: PublishedReport) -> int | None:
    text = (
        report.env("TEST_QUERY_COUNT", "MLPERF_LOADGEN_QUERY_COUNT")
        or report.option("test_query_count")
        or ""
    )
    return int(text) if text.isdecimal() else None


def _declares(report: PublishedReport) -> str | None:
    """Where the report itself, outside its command, says over how many samples its scores are."""
    start = report.text.lower().find("## results")
    results = report.text[start:] if start >= 0 else report.text
    match = re.search(r"\bn\s*=\s*\d+|\bover \d+ samples?\b|\b\d+ of \d+\b|\|\s*n\s*\|", results)
    return match[0] if match else None


def _sample_size(s: Subject) -> Iterator[Finding]:
    """R5: how many samples the scores are over."""
    count = _query_count(s.report)
    if count is None or count >= s.workload.dataset_samples or not s.report.claims:
        return
    declared = _declares(s.report)
    scores = ", ".join(f"{c.printed} {c.value:g}" for c in s.report.claims)
    yield s.finding(
        "R5",
        Severity.NOTE if declared else Severity.ERROR,
        s.report.claims[0].line,
        f"the scores are over {count} of {s.workload.dataset_samples} samples"
        + (", and the report says so" if declared else ", and the report does not say so"),
        scores,
        f"n beside each score; {s.workload.dataset_samples} samples for a closed target",
    )


def _absent(s: Subject) -> Iterator[Finding]:
    """R6: metrics of the round that the report leaves out in silence."""
    claimed = {claim.metric for claim in s.report.claims}
    absent = [m for m in s.workload.targets if m not in claimed and not _said_absent(s.report, m)]
    if s.report.claims and absent:
        yield s.finding(
            "R6",
            Severity.ERROR,
            s.report.claims[0].line,
            "gated metrics are absent",
            "no " + ", ".join(absent),
            ", ".join(s.workload.targets),
        )


def _said_absent(report: PublishedReport, metric: str) -> bool:
    pattern = rf"{re.escape(metric)}\W.{{0,60}}not measured"
    return re.search(pattern, report.text, re.IGNORECASE) is not None


def _own_log(s: Subject) -> Iterator[Finding]:
    """R10: printed performance against the log beside the report."""
    if s.log is None:
        return
    rates = {
        "tokens": ("result_tokens_per_second", "result_completed_tokens_per_second"),
        "samples": ("result_samples_per_second", "result_completed_samples_per_sec"),
    }
    logged = {unit: next((v for k in keys if (v := s.log.number(k))), None) for unit, keys in rates.items()}
    for figure in s.report.figures:
        unit = "tokens" if "token" in figure.label.lower() else "samples"
        value, other = logged[unit], logged["tokens" if unit == "samples" else "samples"]
        if value is None or "second" not in figure.label.lower() or near(figure.value, value):
            continue
        if other is None or not near(figure.value, other):
            yield s.finding(
                "R10",
                Severity.ERROR,
                figure.line,
                f"{figure.label} is not the log's",
                f"{figure.value:g}",
                f"{value:g}",
            )


CHECKS = (_thresholds, _upper_limits, _targets_met, _units, _precision, _sample_size, _absent, _own_log)
