"""Is a mathematical answer the right one? What text alone does not decide is left to sympy, in the sandbox.

Source of every rule here: openai/prm800k 7ecc794, prm800k/grading/grader.py: grade_answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from assay.mlperf.scoring import math_forms
from assay.mlperf.scoring.programs.program import Program

LANGUAGE = "sympy"
BRACKETS = "()[]"
_FRACTION = re.compile(r"^-?[0-9]+.?/0*[1-9][0-9]*.?$")
_TOO_MUCH = re.compile(r"\^\{|\^\(|\^[0-9]+\^|\^[0-9][0-9]+")
"""Powers that sympy may compute for ever."""
_LETTERS_MOST = 2
"""Different letters of an expression that sympy is asked about."""


def decide(given: str, truth: str) -> bool | tuple[str, ...]:
    """True or False, or the expressions that must all be 0 for the answer to be right."""
    if math_forms.latex_spelling(truth) == math_forms.latex_spelling(given):
        return True
    ours, theirs = math_forms.plain_spelling(truth), math_forms.plain_spelling(given)
    if ours == theirs:
        return True
    if not theirs:
        return False
    wanted, found = _elements(ours), _elements(theirs)
    if len(wanted) != len(found):
        return False
    if len(wanted) > 1 and (ours[0], ours[-1]) != (theirs[0], theirs[-1]):
        return False
    zeros = []
    for want, have in zip(wanted, found, strict=True):
        if _FRACTION.search(want) and _FRACTION.search(have):
            # A fraction that is not reduced is a wrong answer.
            if want != have:
                return False
        elif math_forms.is_integer(want) != math_forms.is_integer(have):
            return False
        elif _is_readable(difference := f"({want})-({have})"):
            zeros.append(difference)
        else:
            return False
    return tuple(zeros) or True


def program(zeros: Sequence[str]) -> Program:
    """The program for the sandbox: it passes when sympy simplifies every expression to 0."""
    return Program(LANGUAGE, "", json.dumps(list(zeros)), "")


def _elements(text: str) -> list[str]:
    """Of a tuple or an interval; anything else is one element."""
    text = math_forms.without_group_commas(text)
    if not text:
        return []
    is_bracketed = len(text) > 2 and text[0] in BRACKETS and text[-1] in BRACKETS
    if is_bracketed and not any(bracket in text[1:-1] for bracket in BRACKETS):
        return [element.strip() for element in text[1:-1].split(",")]
    return [text]


def _is_readable(expression: str) -> bool:
    """Short of unknown letters, and of powers upon powers."""
    letters = {c for c in expression.replace("sqrt", "").replace("frac", "") if c.isalpha()}
    return len(letters) <= _LETTERS_MOST and not _TOO_MUCH.search(expression)
