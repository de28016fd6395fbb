"""What Assay says: the only place that prints, so that no foreign text reaches the terminal as it is."""

from __future__ import annotations

import sys

from assay.ground.printable import printable


class Manner:
    """How a verb speaks, as --json, -q and -v ask. Plain, as every command imports it and `dataclasses` takes 5 ms.

    With `is_json` stdout holds one JSON value and nothing else; `is_quiet` leaves progress out; `is_verbose` shows
    where an error came from.
    """

    def __init__(self, *, is_json: bool = False, is_quiet: bool = False, is_verbose: bool = False) -> None:
        self.is_json, self.is_quiet, self.is_verbose = is_json, is_quiet, is_verbose
        self.has_value = False
        """Whether the JSON value was printed."""


manner = Manner()


def begin(new: Manner) -> None:
    """Speak in that manner from now on; the command line says so once for each command."""
    global manner
    manner = new


def say(text: str = "", *, end: str = "\n") -> None:
    """Print on stdout."""
    print(printable(text), end=end)


def tell(text: str) -> None:
    """Print on stderr, at once, addresses without what may let somebody in."""
    if "://" in text:
        from assay.ground.redact import addresses  # imports re: not for every command

        text = addresses(text)
    print(printable(text), file=sys.stderr, flush=True)


def tell_progress(text: str) -> None:
    """Print on stderr, unless only errors and warnings are wanted there."""
    if not manner.is_quiet:
        tell(text)


def say_json(text: str) -> None:
    """Print JSON on stdout. JSON shows every control but DEL, and knows no `\\x7f`."""
    manner.has_value = True
    print(text.replace("\x7f", "\\u007f"))


def width(unknown: int) -> int:
    """Columns of the terminal; `unknown` where stdout is none and nobody set COLUMNS."""
    import shutil

    return shutil.get_terminal_size((unknown, 24)).columns
