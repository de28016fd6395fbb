"""The texts that CM reads as yes or as no."""

from __future__ import annotations

from typing import Any

TRUE_WORDS = frozenset({"yes", "on", "true", "1"})
FALSE_WORDS = frozenset({"no", "off", "false", "0"})


def is_off(value: Any) -> bool:
    """Whether a value is no, off, false, 0 or empty, in any case."""
    return str(value).lower().strip() in FALSE_WORDS or str(value).strip() == ""
