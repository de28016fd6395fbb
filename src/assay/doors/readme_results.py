"""The results that a report prints: CM's and MLC's lines, and Assay's own tables, as claims and figures.

Reads what is printed and judges nothing. Assay's report holds a heading for each scenario; CM's and MLC's are of
one scenario and do not name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.config import Scenario
from assay.report.words import NOT_MEASURED, titles

METRICS = {
    "ROUGE1": "rouge1",
    "ROUGE2": "rouge2",
    "ROUGEL": "rougeL",
    "ROUGELSUM": "rougeLsum",
    "TOKENS_PER_SAMPLE": "tokens_per_sample",
    "gsm8k_accuracy": "gsm8k",
    "mbxp_accuracy": "mbxp",
    "GEN_LEN": "gen_len",
    "exact_match": "exact_match",
    **{title: metric for metric, title in titles().items()},
}
"""Name of a metric in the checkers and in these reports -> name in accuracy.txt and in the rounds."""
NUMBER = r"(-?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_CLAIM = re.compile(
    rf"^\W*`?([A-Za-z][\w.]*)`?\s*:\s*`?{NUMBER}`?\s*(?:,\s*Required accuracy for closed division(.*))?$"
)
_BOUND = re.compile(rf"(>=|<=)\s*{NUMBER}")
_RANGE = re.compile(rf"^{NUMBER} to {NUMBER}$")
_FIGURE = re.compile(rf"^\W*`?([A-Za-z][A-Za-z /()]*?)`?\s*:\s*`?{NUMBER}`?\s*$")
_VALUE = re.compile(rf"^{NUMBER}\s*([^(]*?)\s*(?:\((?:n = (\d+))?.*)?$")
_VALIDITY = re.compile(r"^LoadGen says (\w+)")


@dataclass(frozen=True)
class Claim:
    """One accuracy line: a metric, its value, and the thresholds printed beside it."""

    metric: str
    """In the words of the rounds; a name that no round knows is kept as printed."""
    printed: str
    value: float | None
    """None = the report says that it was not measured."""
    low: float | None
    high: float | None
    line: int
    scenario: str | None = None
    unit: str = ""
    n: int | None = None
    """Samples that the report says the value is over."""
    verdict: str = ""
    """What the report says of value and threshold, as `met`."""


@dataclass(frozen=True)
class ReportedFigure:
    """One performance line: label as printed, value, and the unit where it is printed beside the value."""

    label: str
    value: float
    line: int
    scenario: str | None = None
    unit: str = ""


@dataclass(frozen=True)
class Validity:
    """LoadGen's word on a performance run, as printed."""

    word: str
    line: int
    scenario: str | None = None


@dataclass(frozen=True)
class Results:
    claims: tuple[Claim, ...]
    figures: tuple[ReportedFigure, ...]
    validities: tuple[Validity, ...]


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    section: str
    """`accuracy`, `performance`, or neither: the heading above the line."""
    scenario: str | None


def read_results(lines: Sequence[str]) -> Results:
    """What stands below the headings for accuracy and performance. Lines are counted from 1."""
    claims: list[Claim] = []
    figures: list[ReportedFigure] = []
    validities: list[Validity] = []
    for line in _sections(lines):
        if line.section == "accuracy" and (claim := _row_claim(line) or _claim(line)):
            claims.append(claim)
        if line.section == "performance":
            if figure := _row_figure(line) or _figure(line):
                figures.append(figure)
            if match := _VALIDITY.match(line.text):
                validities.append(Validity(match[1], line.number, line.scenario))
    return Results(tuple(claims), tuple(figures), tuple(validities))


def _sections(lines: Sequence[str]) -> Iterator[_Line]:
    scenarios = {member.value.lower(): member.value for member in Scenario}
    section, scenario = "", None
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            title = line.strip("# \t").lower()
            section = title.split(" ", 1)[0]
            scenario = scenarios.get(title, scenario)
        else:
            yield _Line(number, line.strip(), section, scenario)


def _claim(line: _Line) -> Claim | None:
    """CM: `gsm8k_accuracy`: `73.6`, Required accuracy for closed division `>= 73.0422`."""
    match = _CLAIM.match(line.text)
    if match is None:
        return None
    low, high = _bounds(match[3] or "")
    metric = METRICS.get(match[1], match[1])
    return Claim(metric, match[1], _number(match[2]), low, high, line.number, line.scenario)


def _row_claim(line: _Line) -> Claim | None:
    """Assay: | GSM8K accuracy | 73.6 % (n = 5000, 95 %: 72.3 to 74.8) | >= 73.042 | met |"""
    cells = _cells(line.text)
    if len(cells) != 4:
        return None
    title, shown, gate, verdict = cells
    value = _VALUE.match(shown)
    if value is None and not shown.startswith(NOT_MEASURED):
        return None
    low, high = _bounds(gate)
    return Claim(
        metric=METRICS.get(title, title.replace(" ", "_")),
        printed=title,
        value=_number(value[1]) if value else None,
        low=low,
        high=high,
        line=line.number,
        scenario=line.scenario,
        unit=value[2] if value else "",
        n=int(value[3]) if value and value[3] else None,
        verdict=verdict,
    )


def _figure(line: _Line) -> ReportedFigure | None:
    match = _FIGURE.match(line.text)
    return ReportedFigure(match[1].strip(), _number(match[2]), line.number, line.scenario) if match else None


def _row_figure(line: _Line) -> ReportedFigure | None:
    """Assay: | p99 first token | 869.38 ms (limit 2000 ms) |"""
    cells = _cells(line.text)
    value = _VALUE.match(cells[1]) if len(cells) == 2 else None
    return (
        ReportedFigure(cells[0], _number(value[1]), line.number, line.scenario, value[2]) if value else None
    )


def _cells(text: str) -> list[str]:
    """Cells of a table's row; none for another line."""
    return [cell.strip() for cell in text.strip("|").split("|")] if text.startswith("|") else []


def _bounds(text: str) -> tuple[float | None, float | None]:
    """Lower and upper threshold. Example: `130.36 to 160.49` -> (130.36, 160.49)."""
    if match := _RANGE.match(text):
        return _number(match[1]), _number(match[2])
    found = {sign: _number(value) for sign, value in _BOUND.findall(text)}
    return found.get(">="), found.get("<=")


def _number(text: str) -> float:
    return float(text.replace(",", ""))
