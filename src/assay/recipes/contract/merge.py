"""Merges dictionaries as CM does, including its one surprise, and copies nested values."""

from __future__ import annotations

from typing import Any

from assay.recipes.values import Values

PLAIN = frozenset({str, int, float, bool, type(None)})


def copied(value: Any) -> Any:
    """A deep copy. Plain data is copied here: that is four times faster than `copy`, which then need not be
    imported."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is dict:
        return {key: copied(item) for key, item in value.items()}
    if kind is list:
        return [copied(item) for item in value]
    import copy

    return copy.deepcopy(value)


def merge(target: Values, more: Values, *, unique: bool = True, nested: bool = False) -> Values:
    """Merges `more` into `target` in place, and returns it. Dictionaries are merged, lists appended, all other values
    replaced.

    A list gets only items that it lacks. Inside a nested dictionary it gets all items: {"l": [1]} + {"l": [1, 2]}
    gives [1, 2], but one level down it gives [1, 1, 2]. Source: runs of cmind 4.2.0. Some recipes depend on this.
    With `nested`, as in mlcflow 1.3.8, lists get only items that they lack on every level.
    """
    for key, value in more.items():
        have = target.get(key)
        if isinstance(value, dict) and isinstance(have, dict):
            merge(have, value, unique=nested, nested=nested)
        elif isinstance(value, list) and isinstance(have, list):
            have.extend(item for item in list(value) if not (unique and item in have))
        else:
            target[key] = value
    return target
