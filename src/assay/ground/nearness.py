"""Which known word was probably meant: one that a typing error turns into the given word, not just the nearest."""

from __future__ import annotations

import re
from collections.abc import Iterable

LEAST_START = 3
"""Letters of a beginning that count as the word: `mixtral` of `mixtral-8x7b`."""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The known words that `word` may stand for, nearest first; none when nothing is near.

    Near is: the same but for case, hyphens, underscores and which letters are double; a few letters changed, left
    out, added or swapped, fewer in a short word; or a beginning of a known word, or the other way round.
    """
    names = sorted(known, key=by_number)
    plain = {name: _plain(name) for name in names}
    asked = _plain(word)
    if not asked:
        return []
    for form in (str, _single):
        if same := [name for name in names if form(plain[name]) == form(asked)]:
            return same
    allowed = _allowed(asked)
    alike = [name for name in names if abs(len(plain[name]) - len(asked)) <= allowed]
    slips = sorted((_distance(asked, plain[name]), name) for name in alike)
    if slips and slips[0][0] <= allowed:
        return [slips[0][1]]
    return [name for name in names if _is_beginning(asked, plain[name]) or _is_beginning(plain[name], asked)]


def by_number(name: str) -> str:
    """What a list of names is sorted by, so that P2 stands before P10."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(9), name)


def _plain(word: str) -> str:
    return word.lower().replace("_", "-").strip("-")


def _single(word: str) -> str:
    """The word without the second of two equal letters."""
    return "".join(letter for letter, before in zip(word, " " + word) if letter != before)


def _is_beginning(part: str, whole: str) -> bool:
    return len(part) >= LEAST_START and whole.startswith(part)


def _allowed(word: str) -> int:
    return 1 if len(word) <= 6 else 2 if len(word) <= 10 else 3


def _distance(a: str, b: str) -> int:
    """Letters to change, leave out, add, or swap with their neighbour (optimal string alignment)."""
    before, row = list(range(len(b) + 1)), list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        last, before, row = before, row, [i] + [0] * len(b)
        for j, other in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]
