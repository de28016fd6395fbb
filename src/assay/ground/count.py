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


def size_text(count: float) -> str:
    """Bytes in the largest unit of which there is one: `93.4 GB`, `2.1 MB`, `512 B`. Units are powers of 1000."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= 0.99995 * scale:  # 999.96 MB would be written as 1000.0 MB
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} B"
