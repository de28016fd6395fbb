"""A value inside a value as one row: dotted names for settings of any depth."""

from __future__ import annotations


def leaves(value: object, name: str = "") -> list[tuple[str, str]]:
    """(dotted name, text) of every value of a tree of plain values; empty text for None."""
    if isinstance(value, dict):
        return [
            leaf for key, each in value.items() for leaf in leaves(each, f"{name}.{key}" if name else key)
        ]
    if isinstance(value, list):
        return [(name, ", ".join(map(str, value)))]
    return [(name, "" if value is None else str(value))]
