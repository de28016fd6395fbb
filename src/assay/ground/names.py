"""Which names may become a folder or a file of a tree."""

from __future__ import annotations

from assay.ground.errors import ConfigError
from assay.ground.printable import one_line

BYTES_MAX = 200
"""File systems take 255; suffixes of working files need some."""


def path_name(name: str, what: str) -> str:
    """`name` as it is, when it can stand in a path without leading elsewhere. `what`: whose name, for the error.

    Raises: ConfigError for a name that is empty, too long, `.` or `..`, or holds a slash or a control character.
    """
    reason = ""
    if not name.strip():
        reason = "is empty"
    elif name in (".", "..") or "/" in name or "\\" in name:
        reason = "leads to another folder"
    elif not name.isprintable():
        reason = "holds characters that cannot be printed"
    elif len(name.encode()) > BYTES_MAX:
        reason = f"is longer than {BYTES_MAX} bytes"
    if reason:
        raise ConfigError(
            f"{what} {one_line(name)[:80]!r} {reason}", "letters, digits, '.', '-' and '_' make a good name"
        )
    return name
