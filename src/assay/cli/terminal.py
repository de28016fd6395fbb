"""What Assay says: the only place that prints, so that no foreign text reaches the terminal as it is."""

from __future__ import annotations

import sys

from assay.ground.printable import printable


def say(text: str = "", *, end: str = "\n") -> None:
    """Print on stdout."""
    print(printable(text), end=end)


def tell(text: str) -> None:
    """Print on stderr, at once, addresses without what may let somebody in."""
    if "://" in text:
        from assay.ground.redact import addresses  # imports re: not for every command

        text = addresses(text)
    print(printable(text), file=sys.stderr, flush=True)


def say_json(text: str) -> None:
    """Print JSON on stdout. JSON shows every control but DEL, and knows no `\\x7f`."""
    print(text.replace("\x7f", "\\u007f"))


def width(unknown: int) -> int:
    """Columns of the terminal; `unknown` where stdout is none and nobody set COLUMNS."""
    import shutil

    return shutil.get_terminal_size((unknown, 24)).columns
