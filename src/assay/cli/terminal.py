"""Prints all output of Assay. Only here text is printed, so that control characters of foreign text never reach the
terminal."""

from __future__ import annotations

import sys

from assay.ground.printable import printable


class Manner:
    """How a verb prints, by --json, -q and -v.

    It is no dataclass: every command imports it, and the import of `dataclasses` takes 5 ms. With `is_json`, stdout
    gets one JSON value and nothing else. `is_quiet` prints no progress. `is_verbose` prints where an error came
    from.
    """

    def __init__(self, *, is_json: bool = False, is_quiet: bool = False, is_verbose: bool = False) -> None:
        self.is_json, self.is_quiet, self.is_verbose = is_json, is_quiet, is_verbose
        self.has_value = False
        """Whether the JSON value was printed."""


manner = Manner()


def begin(new: Manner) -> None:
    """Sets the manner of printing. The command line calls it once per command."""
    global manner
    manner = new


def say(text: str = "", *, end: str = "\n") -> None:
    """Prints on stdout."""
    print(printable(text), end=end)


def tell(text: str) -> None:
    """Prints on stderr without buffering. Passwords and tokens in URLs are hidden."""
    if ":/" in text or "hf:" in text:
        from assay.ground.redact import addresses  # imported here because it imports re

        text = addresses(text)
    print(printable(text), file=sys.stderr, flush=True)


def tell_progress(text: str) -> None:
    """Prints on stderr, unless --quiet allows only errors and warnings."""
    if not manner.is_quiet:
        tell(text)


def say_json(text: str) -> None:
    """Prints JSON on stdout. JSON escapes all control characters except DEL, which is escaped here."""
    manner.has_value = True
    print(text.replace("\x7f", "\\u007f"))


def width(unknown: int) -> int:
    """Columns of the terminal; `unknown` if stdout is no terminal and COLUMNS is not set."""
    import shutil

    return shutil.get_terminal_size((unknown, 24)).columns
