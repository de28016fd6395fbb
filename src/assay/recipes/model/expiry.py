"""How long a cache entry may be used: `cache_expiration` of a request or a recipe, in MLC's notation."""

from __future__ import annotations

import re
from typing import Any

from assay.recipes.errors import RecipeFault

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdwy])[a-z]*", re.IGNORECASE)


def seconds(duration: Any) -> float:
    """The seconds of `30m`, `12h`, `1d`, `2 weeks` or a plain number of seconds; 0 for an empty value.

    Raises: RecipeFault (1) for anything else.
    """
    text = str(duration or "").strip()
    if not text:
        return 0.0
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    found = _DURATION.fullmatch(text)
    if not found:
        raise RecipeFault(f"cache_expiration {text!r} is no duration", 1, "write 30m, 12h, 1d or 2w")
    return float(found[1]) * SECONDS[found[2].lower()]
