"""Foreign text made safe for a terminal.

Names of files, lines of logs and answers of servers may hold escape sequences, which clear the screen, set its title
or rewrite what stands on it. What is not printed is shown as Python would write it: ESC as `\\x1b`.
"""

from __future__ import annotations

LAYOUT = "\n\t"
"""Characters that lay out a text of several lines."""
_BYTE = 0xDC00
"""Python's stand-in for a byte that is no UTF-8 is this much above it."""


def printable(text: str, keep: str = LAYOUT) -> str:
    """`text` with every character shown that has no picture of its own, except those of `keep`.

    Escapes, other controls, marks that turn the direction of writing, and stand-ins for bytes become `\\x1b`,
    `\\u202e`, `\\xff`. Text without such characters comes back as it is.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _shown(ord(c)) for c in text)


def one_line(text: str) -> str:
    """A foreign name or value inside a sentence: line ends are shown too, so that it cannot pass for a line of ours."""
    return printable(text, keep="")


def indented(text: str) -> str:
    """A message whose further lines begin with two blanks, so that a foreign one cannot pass for a line of ours."""
    first, *more = text.split("\n")
    return "\n".join([first, *(line if line.startswith("  ") or not line else f"  {line}" for line in more)])


def _shown(code: int) -> str:
    if _BYTE + 0x80 <= code <= _BYTE + 0xFF:
        code -= _BYTE
    return chr(code).encode("unicode_escape").decode()
