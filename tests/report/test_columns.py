"""Columns under each other."""

from __future__ import annotations

from assay.report.columns import aligned

ROWS = [("name", "n", "note"), ("a", "100", ""), ("longer", "2", "x")]


def test_a_column_is_as_wide_as_its_widest_cell_and_no_line_ends_in_blanks() -> None:
    assert aligned(ROWS) == ["name    n    note", "a       100", "longer  2    x"]


def test_numbers_stand_at_the_right_and_names_at_the_left() -> None:
    assert aligned(ROWS, str.rjust) == ["name      n  note", "a       100", "longer    2     x"]
