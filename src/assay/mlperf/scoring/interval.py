"""95 % intervals of shares and means. Knows no metric."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST = 5
"""Values below which the normal interval of a mean says nothing: two equal ones would leave no doubt at all."""
ALL_EQUAL = "all equal: no interval"
"""Why LEAST values or more have none: a spread of nothing would say that there is no doubt at all."""
Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def of_share(hits: int, n: int) -> tuple[float, float] | None:
    """Wilson's interval of hits / n, in percent; None when n is 0. Holds at 0 and at n hits, too."""
    if n == 0:
        return None
    share, z2 = hits / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At the ends the formula gives exactly 0 or 1 but for rounding.
    low = 0.0 if hits == 0 else 100 * (middle - half)
    return low, 100.0 if hits == n else 100 * (middle + half)


def of_mean(values: Sequence[float]) -> tuple[float, float] | None:
    """Normal interval of the mean, in the unit of the values; None for fewer than LEAST, and where all are equal."""
    n = len(values)
    if n < LEAST or min(values) == max(values):
        return None
    mean = math.fsum(values) / n
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = Z95 * math.sqrt(variance / n)
    return mean - half, mean + half


def missing(values: Sequence[float]) -> str:
    """Why `of_mean` gives none; empty where it gives one, and for fewer than LEAST, which their number tells."""
    return ALL_EQUAL if len(values) >= LEAST and min(values) == max(values) else ""


def of_amount(values: Sequence[float], most: float = math.inf) -> tuple[float, float] | None:
    """As `of_mean`, of values that are from 0 to `most`: no interval is wider than what can be."""
    ends = of_mean(values)
    return None if ends is None else (max(ends[0], min(0.0, *values)), min(ends[1], max(most, *values)))
