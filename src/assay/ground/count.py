"""A number with its noun, in the plural where it must be."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 sample`, `300 samples`; `plural` where it is not the noun with an s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
