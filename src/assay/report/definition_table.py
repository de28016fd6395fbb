"""What five tools would tell of one run, side by side: mlperf/record/definitions.py computes it."""

from __future__ import annotations

from assay.mlperf.record.definitions import Sheet
from assay.report.columns import aligned
from assay.report.markup import Markup, element, joined, table
from assay.report.words import number

METRICS = {"TTFT": "ms", "TPOT": "ms", "ITL": "ms", "tokens/s": "", "requests/s": ""}
"""Metric -> unit, in the order of a table."""
WHY = (
    "Latencies are p99. LoadGen counts from when a query was planned, the others from when it was sent; a dash: the "
    "tool has no such metric, or this run does not hold what it needs. docs/definitions.md says how each is computed."
)


def cells(sheet: Sheet) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heads and rows: a row for each metric, a column for each tool."""
    names = [name for name in METRICS if any(name in told for told in sheet.values())]
    rows = [
        (
            f"{name} {METRICS[name]}".strip(),
            *(number(told[name]) if name in told else "-" for told in sheet.values()),
        )
        for name in names
    ]
    return ("metric", *sheet), rows


def definition_table(sheet: Sheet) -> Markup:
    heads, rows = cells(sheet)
    return joined(table(heads, list[tuple[object, ...]](rows)), element("p", WHY))


def definition_lines(sheet: Sheet) -> list[str]:
    """The same for a terminal."""
    heads, rows = cells(sheet)
    return aligned([heads, *rows], str.rjust)
