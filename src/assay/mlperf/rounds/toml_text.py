"""TOML text to plain values, on every Python that Assay supports (3.10 has no reader of its own)."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PARTS_MOST = 200
"""Of a dotted name: Python's reader takes time in the square of them."""
_BETWEEN_NAMES = re.compile(r"[={},\[\]\n]")


def parse(text: str) -> dict[str, Any]:
    """Raises: ValueError for what is no TOML, and for a name of too many parts."""
    if any(word.count(".") >= PARTS_MOST for word in _BETWEEN_NAMES.split(text)):
        raise ValueError(f"a name of more than {PARTS_MOST} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
