"""When a dependency or a conditional block applies: enable_if_env, skip_if_env and their `any` forms."""

from __future__ import annotations

from typing import Any

from assay.recipes.contract.truth import FALSE_WORDS, TRUE_WORDS, is_off
from assay.recipes.values import Given

CONDITION_KEYS = ("enable_if_env", "enable_if_any_env", "skip_if_env", "skip_if_any_env")


def fits(value: Any, wanted: Any) -> bool:
    """Whether the value of an existing key fits the list of a condition. A true word in the list means "not off"."""
    words = {str(word).lower() for word in as_list(wanted)}
    text = str(value).lower().strip()
    if words & TRUE_WORDS:
        return not is_off(text)
    if words & FALSE_WORDS:
        return is_off(text)
    return text in words


def fits_absent(wanted: Any) -> bool:
    """Whether an absent key fits a list: it does if the list has a false word or an empty text."""
    words = {str(word).lower() for word in as_list(wanted)}
    return bool(words & (FALSE_WORDS | {""}))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def all_hold(condition: Given, env: Given) -> bool:
    """Whether every key fits. True for the empty condition."""
    return all(
        fits(env[key], wanted) if key in env else fits_absent(wanted) for key, wanted in condition.items()
    )


def any_holds(condition: Given, env: Given) -> bool:
    """Whether at least one existing key fits. False for the empty condition; absent keys never fit."""
    return any(key in env and fits_any(env[key], wanted) for key, wanted in condition.items())


def fits_any(value: Any, wanted: Any) -> bool:
    """Like `fits`, but an empty text in the list also means "off"."""
    words = {str(word).lower() for word in as_list(wanted)}
    if "" in words and not words & TRUE_WORDS:
        return is_off(value)
    return fits(value, wanted)


def applies(entry: Given, env: Given, fake_run: bool = False) -> bool:
    """Whether a dependency or conditional block applies with these variables."""
    if entry.get("skip_if_fake_run") and fake_run:
        return False
    if "enable_if_env" in entry and not all_hold(entry["enable_if_env"] or {}, env):
        return False
    if "enable_if_any_env" in entry and not any_holds(entry["enable_if_any_env"] or {}, env):
        return False
    if "skip_if_env" in entry and all_hold(entry["skip_if_env"] or {}, env):
        return False
    return not ("skip_if_any_env" in entry and any_holds(entry["skip_if_any_env"] or {}, env))


def keys_read(entry: Given) -> set[str]:
    """The variables that decide whether the entry applies."""
    return {key for name in CONDITION_KEYS for key in entry.get(name) or {}}
