"""Replaces `<<<KEY>>>` in values by the value of KEY. Placeholders of unknown keys stay."""

from __future__ import annotations

import re
from typing import Any

from assay.recipes.values import Given, Values

_PLACEHOLDER = r"<<<(.*?)>>>"  # compiled at the first use: most small runs have no placeholder


def placeholders(value: Any) -> list[str]:
    """The keys named in a value (a list is searched too)."""
    text = value if isinstance(value, str) else str(value)
    return re.findall(_PLACEHOLDER, text) if "<<<" in text else []


def fill(value: Any, values: Given) -> Any:
    """The text, or the list of texts, with known placeholders replaced; any other value unchanged."""
    if isinstance(value, list):
        return [fill(item, values) if isinstance(item, str) else item for item in value]
    if not isinstance(value, str) or "<<<" not in value:
        return value
    return re.sub(_PLACEHOLDER, lambda hit: str(values[hit[1]]) if hit[1] in values else hit[0], value)


def filled(target: Given, values: Given) -> Values:
    """The entries of `target` that change when filled from `values`, with their new values."""
    known = dict(values)
    changed = {}
    for key, value in target.items():
        if isinstance(value, (str, list)) and "<<<" in str(value):
            new = fill(value, known)
            if new != value:
                changed[key] = new
                if target is values:
                    known[key] = new  # later entries see the filled one, as in CM
    return changed


def fill_nested(values: Values, known: Given) -> None:
    """Replaces placeholders in a nested dictionary in place."""
    for key, value in values.items():
        if isinstance(value, dict):
            fill_nested(value, known)
        elif isinstance(value, str):
            values[key] = fill(value, known)
