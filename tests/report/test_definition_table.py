"""Definitions side by side, on a page and on a terminal."""

from __future__ import annotations

from assay.report.definition_table import cells, definition_lines, definition_table

SHEET = {
    "LoadGen": {"TTFT": 12.0, "tokens/s": 100.0},
    "guidellm": {"TTFT": 10.0, "ITL": 2.5, "tokens/s": 99.5},
}


def test_a_metric_has_a_row_and_a_tool_without_it_a_dash() -> None:
    heads, rows = cells(SHEET)
    assert heads == ("metric", "LoadGen", "guidellm")
    assert rows == [("TTFT ms", "12", "10"), ("ITL ms", "-", "2.5"), ("tokens/s", "100", "99.5")]


def test_it_is_the_same_table_everywhere() -> None:
    assert definition_lines(SHEET)[1].split() == ["TTFT", "ms", "12", "10"]
    assert len({len(line) for line in definition_lines(SHEET)}) == 1
    assert ">2.5</td>" in definition_table(SHEET) and "docs/definitions.md" in definition_table(SHEET)
