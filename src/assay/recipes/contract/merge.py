"""CM's way of putting one dictionary over another, with its one surprise kept; and copies of what is nested."""

from __future__ import annotations

from typing import Any

from assay.recipes.values import Values

PLAIN = frozenset({str, int, float, bool, type(None)})


def copied(value: Any) -> Any:
    """A deep copy. Of plain data it is made here, four times faster than by `copy`, which then is not imported."""
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
    """Put `more` over `target` in place: dictionaries key by key, lists appended, all else replaced.

    A list that appends to a list adds only what is not there yet, but inside a nested dictionary it adds
    everything: {"l": [1]} + {"l": [1, 2]} gives [1, 2], the same one level down gives [1, 1, 2].
    Source: runs of cmind 4.2.0; recipes that count on it exist, so it is kept. With `nested`, as in mlcflow 1.3.8,
    lists add only what is not there yet on every level.
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
