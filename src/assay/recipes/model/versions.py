"""Versions: their order, and the bounds that a request sets."""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple

from assay.recipes.values import Given


def compare(left: str, right: str) -> int:
    """Compares two versions: -1, 0 or 1. Parts between dots are compared as numbers, missing parts as 0. `1.0rc1` comes
    before `1.0`.

    CM raises TypeError when it compares a number with text; here the number is compared first, then the text.
    """
    for one, other in zip_longest(str(left).split("."), str(right).split("."), fillvalue="0"):
        if (a := _order(one)) != (b := _order(other)):
            return -1 if a < b else 1
    return 0


def _order(part: str) -> tuple[int, bool, str]:
    rest = part.lstrip("0123456789")
    digits = part[: len(part) - len(rest)]
    return (int(digits) if digits else 0, not rest, rest)


class Versions(NamedTuple):
    """The requested version and bounds. Empty = not requested."""

    version: str = ""
    lowest: str = ""
    highest: str = ""
    highest_usable: str = ""

    def admits(self, version: str) -> bool:
        """Whether an existing version is within the bounds. An unknown version is."""
        if not version:
            return True
        if self.lowest and compare(version, self.lowest) < 0:
            return False
        return not (self.highest and compare(version, self.highest) > 0)

    def default(self, default: str) -> str:
        """The default version, changed to fit the bounds; empty when there is no default."""
        if not default:
            return ""
        chosen = self.lowest if self.lowest and compare(default, self.lowest) < 0 else default
        if self.highest and compare(chosen, self.highest) > 0:
            return self.highest_usable or self.highest
        return chosen


KEYS = ("VERSION", "VERSION_MIN", "VERSION_MAX", "VERSION_MAX_USABLE")


def asked(inputs: Given, env: Given, meta: Given, prefix: str) -> Versions:
    """The version and the three bounds, each from the inputs, else the env, else the recipe."""
    found = []
    for name in KEYS:
        field = name.lower()
        value = str(inputs.get(field) or "").strip() or env.get(prefix + name) or meta.get(field) or ""
        found.append(str(value))
    return Versions(*found)


def pip_requirement(env: Given, prefix: str) -> str:
    """The bounds as a pip requirement: `==1.2`, `>=1,<=2`, or empty."""
    version, lowest, highest = (str(env.get(prefix + name) or "") for name in KEYS[:3])
    if version:
        return f"=={version}"
    bounds = [f">={lowest}"] if lowest else []
    return ",".join([*bounds, f"<={highest}"] if highest else bounds)
