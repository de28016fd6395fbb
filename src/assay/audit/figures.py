"""Checks of figures: their units, and whether the logs beside the report bear them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.audit import widths
from assay.audit.subject import Subject, near
from assay.audit.words import PRECISIONS, precision
from assay.doors.readme_results import ReportedFigure
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.logs import names
from assay.mlperf.logs.accuracy_text import SCORE_ROUNDING
from assay.mlperf.logs.detail import DetailLog


@dataclass(frozen=True)
class Measure:
    """A kind of performance figure: words of its label, its unit, and where a log has it."""

    words: tuple[str, ...]
    unit: str
    keys: tuple[str, ...]
    """Of the detail log; the first that is there."""
    per_unit: float = 1.0
    """What the log counts in, in this unit."""

    def logged(self, log: DetailLog) -> float | None:
        value = next((v for key in self.keys if (v := log.number(key)) is not None), None)
        return None if value is None else value / self.per_unit


LLM_KEYS = ("result_tokens_per_second", "result_completed_tokens_per_second")
INFERRED_KEYS = ("result_inferred_tokens_per_second", "result_inferred_completed_tokens_per_second")
"""LoadGen's figures for models without token latencies; the checkers take them as GPT-J's result."""
TOKENS = Measure(("token", "per second"), "tokens/s", (*LLM_KEYS, *INFERRED_KEYS))
SAMPLES = Measure(
    ("sample", "per second"), "samples/s", ("result_samples_per_second", "result_completed_samples_per_sec")
)
MEASURES = (
    TOKENS,
    SAMPLES,
    Measure(("first token", "p99"), "ms", ("result_first_token_99.00_percentile_latency_ns",), 1e6),
    Measure(("per output token", "p99"), "ms", ("result_time_per_output_token_99.00_percentile_ns",), 1e6),
)


def _measure(figure: ReportedFigure) -> Measure | None:
    label = figure.label.lower()
    return next((m for m in MEASURES if all(word in label for word in m.words)), None)


def _units(s: Subject) -> Iterator[Finding]:
    """R3: a figure in another unit than its label's; tokens/s as samples/s by the log, or inferred without one."""
    for figure in s.report.figures:
        measure = _measure(figure)
        if measure is None:
            continue
        shown = f"{figure.label}: {figure.value:g} {figure.unit}".rstrip()
        log = s.files[figure.scenario].performance
        tokens = TOKENS.logged(log) if log is not None else None
        samples = SAMPLES.logged(log) if log is not None else None
        if figure.unit and figure.unit != measure.unit:
            yield s.finding(
                "R3", Severity.ERROR, figure.line, "a unit that is not the figure's", shown, measure.unit
            )
        elif measure is not SAMPLES or "tokens" not in s.workload.unit_of(figure.scenario).lower():
            continue
        elif tokens and near(figure.value, tokens) and not (samples and near(samples, tokens)):
            yield s.finding(
                "R3",
                Severity.ERROR,
                figure.line,
                "tokens/s printed as samples/s",
                shown,
                f"{samples or 0:g} samples/s, {tokens:g} tokens/s",
            )
        elif log is None and s.report.is_cm:
            yield s.finding(
                "R3",
                Severity.ERROR,
                figure.line,
                "tokens/s printed as samples/s (inferred: no log is at hand, and CM prints the checker's metric "
                "under a label of its own)",
                shown,
                f"{figure.value:g} {s.workload.unit_of(figure.scenario)}, about {_per_sample(s, figure.value)}",
            )


def _per_sample(s: Subject, tokens_per_s: float) -> str:
    claim = next((c for c in s.report.claims if c.metric == "tokens_per_sample"), None)
    length = widths.true_length(s, claim) if claim is not None else None
    if not length:
        return "unknown samples/s"
    return f"{tokens_per_s / length:.3g} samples/s at {length:g} tokens per sample"


def _own_log(s: Subject) -> Iterator[Finding]:
    """R10: printed performance against the log beside the report. R3 has what only its unit is wrong of."""
    for figure in s.report.figures:
        log, measure = s.files[figure.scenario].performance, _measure(figure)
        logged = measure.logged(log) if log is not None and measure is not None else None
        if log is None or logged is None or near(figure.value, logged):
            continue
        tokens = TOKENS.logged(log)
        if measure is not SAMPLES or tokens is None or not near(figure.value, tokens):
            yield _not_its_own(s, figure.line, figure.label, f"{figure.value:g}", f"{logged:g}", "the log")
    for said in s.report.validities:
        log = s.files[said.scenario].performance
        word = log.text("result_validity") if log is not None else None
        if word is not None and word != said.word:
            yield _not_its_own(s, said.line, "LoadGen's word", said.word, word, "the log")


def _own_scores(s: Subject) -> Iterator[Finding]:
    """R10: printed scores against accuracy.txt beside the report."""
    for claim in s.report.claims:
        scored = s.files[claim.scenario].score(claim.metric)
        if claim.value is None or scored is None or near(claim.value, scored, SCORE_ROUNDING):
            continue
        yield _not_its_own(
            s, claim.line, claim.printed, f"{claim.value:g}", f"{scored:g}", names.ACCURACY_TEXT
        )


def _not_its_own(s: Subject, line: int, what: str, found: str, expected: str, file: str) -> Finding:
    return s.finding("R10", Severity.ERROR, line, f"{what} is not what {file} says", found, expected)


def _precision(s: Subject) -> Iterator[Finding]:
    """R4: the precision claimed against the one loaded, by the record, and the one asked for."""
    claimed = precision(s.report.precision or "")
    asked = s.report.env("MLPERF_MODEL_PRECISION") or s.report.option("precision")
    if s.asked is not None:
        asked = s.asked.precision.value
    tagged = next((v for v in s.report.variations if v in PRECISIONS), None)
    for wanted, message in (
        (s.precision, "another precision than the record beside the report states"),
        (asked or tagged, "another precision than the command asks for"),
    ):
        if claimed in PRECISIONS.values() and wanted and precision(wanted) != claimed:
            line, shown = s.report.precision_line, s.report.precision or ""
            yield s.finding("R4", Severity.ERROR, line, message, shown, wanted)
            return


CHECKS = (_units, _own_log, _own_scores, _precision)
