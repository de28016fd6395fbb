"""Rows of text as lines with columns under each other, for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def aligned(rows: Sequence[tuple[str, ...]], others: Callable[[str, int], str] = str.ljust) -> list[str]:
    """A line for each row, each column as wide as its widest cell.

    `others`: where the cells behind the first stand; str.rjust for numbers.
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join([row[0].ljust(widths[0]), *map(others, row[1:], widths[1:])]).rstrip() for row in rows]
