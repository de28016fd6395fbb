"""GSM8K: the number that an answer ends in, and whether it is the right one.

Source of every rule here: evaluate-accuracy.py of the mixtral-8x7b reference.
"""

from __future__ import annotations

import re

DELIMITER = "The answer is"
NEXT_QUESTION = "\nQ:"

_NUMBER = re.compile(r"-?[\d,]*\.?\d+")
_COMMAS = re.compile(",{2,}")


def find_number(answer: str) -> str:
    """The number given as the answer, its commas removed; `""` when the text holds none.

    Only the text before a next question counts. `find_number("1 and 2. The answer is $1,200.")` is `"1200"`.
    """
    text = answer.split(NEXT_QUESTION)[0]
    if DELIMITER in text:
        stated = _numbers(text.rsplit(DELIMITER, 1)[1])
        if stated:
            return stated[0]
    numbers = _numbers(text)
    return numbers[-1] if numbers else ""


def is_right(answer: str, truth: str) -> bool:
    """Equal as floating-point numbers. A truth that is no number, as "5,600", is never met: the official script keeps
    its commas."""
    found = find_number(answer)
    return bool(found) and is_number(truth) and float(found) == float(truth)


def is_number(truth: str) -> bool:
    """Is it a number to the official script, that is, to `float`?"""
    try:
        float(truth)
    except ValueError:
        return False
    return True


def _numbers(text: str) -> list[str]:
    # A run of commas means what one comma means; squeezed, it cannot make the pattern backtrack for minutes.
    return [number.replace(",", "") for number in _NUMBER.findall(_COMMAS.sub(",", text))]
