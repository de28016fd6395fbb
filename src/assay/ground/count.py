"""Numbers as text, and with their noun, in the plural where it must be."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 sample`, `300 samples`; `plural` where it is not the noun with an s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def number(value: float) -> str:
    """Five significant digits, as the rules ask of accuracy; never in exponent form for usual sizes."""
    if value == 0 or 1e-4 <= abs(value) < 1e7:
        text = f"{value:.5g}"
        return text if "e" not in text else f"{value:.0f}"
    return f"{value:.4e}"
