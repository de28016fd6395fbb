r"""Finds the answer in the text of a reasoning model: a letter, a box, an integer, a program.

Source of every rule here: eval_accuracy.py of the deepseek-r1 reference. It searches the whole text, thinking included.
"""

from __future__ import annotations

import re

_STATED = r"\b(?:FINAL\s*)?ANSWER\b\s*[:=]?\s*\(?\s*([A-{last}])\s*\)?(?:\s*$|[^A-Za-z])"
_ALONE = r"\b([A-{last}])\b"
_BOX = "\\boxed{"
_BOXED_DIGITS = re.compile(r"\\boxed{\s*(\d+)\s*}")
_STATED_DIGITS = re.compile(r"Answer:\s*(\d+)(?!\.)\b", re.IGNORECASE)
_PYTHON_BLOCK = re.compile(r"```python(.*?)```", re.DOTALL)
_AIME_MOST = 999
"""AIME's answers are whole numbers from 0 to 999."""


def stated_letter(text: str, last: str) -> str | None:
    """The last letter from A to `last` that stands after ANSWER or FINAL ANSWER; case is ignored."""
    return _last_letter(_STATED.format(last=last), unwrapped(text))


def lone_letter(text: str, last: str) -> str | None:
    """The last letter from A to `last` that stands alone, the article "a" and the pronoun "I" included."""
    return _last_letter(_ALONE.format(last=last), unwrapped(text))


def boxed(text: str) -> str | None:
    r"""The content of the last `\boxed{`, up to its own closing brace; None when it is not closed."""
    start = text.rfind(_BOX)
    if start < 0:
        return None
    start += len(_BOX)
    depth = 1
    for brace in re.finditer("[{}]", text[start:]):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return text[start : start + brace.start()].strip()
    return None


def aime_integer(text: str) -> int | None:
    r"""The last `\boxed{}` that holds only digits, else the last `Answer: ` with digits; None above 999.

    A box beyond 999 ends the search, so that `Answer: ` is not asked then.
    """
    found = _BOXED_DIGITS.findall(text) or _STATED_DIGITS.findall(text)
    # More digits than an answer of 999 can sensibly have; Python itself refuses to read 5,000.
    if not found or len(found[-1]) > 4000:
        return None
    value = int(found[-1])
    return value if value <= _AIME_MOST else None


def first_python_block(text: str) -> str | None:
    """The program in the first ```python block."""
    found = _PYTHON_BLOCK.search(text)
    return found.group(1).strip() if found else None


def is_integer(found: int | None, truth: str) -> bool:
    """Is it the number that this text says? A text that is no number is never met."""
    try:
        return found is not None and found == int(truth)
    except ValueError:
        return False


def unwrapped(text: str) -> str:
    r"""Without the brackets of a list of one text, its `\n` and `\'` read; any run of white space is one blank.

    The patterns ask for no number of blanks, and long runs would make them slow.
    """
    text = text.strip()
    if text.startswith(("['", '["')) and text.endswith(("']", '"]')):
        text = text[2:-2].strip()
    return re.sub(r"\s+", " ", text.replace("\\n", "\n").replace("\\'", "'"))


def _last_letter(pattern: str, text: str) -> str | None:
    found = re.findall(pattern, text, re.IGNORECASE)
    return found[-1].upper() if found else None
