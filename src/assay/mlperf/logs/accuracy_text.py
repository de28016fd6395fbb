"""accuracy.txt: the values of an evaluator, in the printed form that the submission checkers read."""

from __future__ import annotations

import re

HASH = re.compile(r"^hash=(\w+)$", re.MULTILINE)
SCORE_ROUNDING = 5e-5
"""accuracy.txt holds four decimals."""


def scores(text: str, metric: str) -> list[float]:
    """Values of a metric in accuracy.txt, in the printed form that checkers read: `'rouge1': 45.2`."""
    quote = r"'?" if metric.startswith("rouge") else ""
    found = re.findall(rf"'{re.escape(metric)}':\s+{quote}(\d[\d.]*)", text)
    return [float(value) for value in found if value.count(".") <= 1]
