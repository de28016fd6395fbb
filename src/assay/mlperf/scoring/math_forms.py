r"""Two spellings that mathematical answers are compared in.

Source of every rule here: openai/prm800k 7ecc794, prm800k/grading (math_normalize, grader), which the deepseek-r1
reference grades MATH-500 with.
"""

from __future__ import annotations

import contextlib
import logging
import re

from assay.ground import extras

_WRAPPED = re.compile(r"^\\text\{(.+?)\}$")
_DROPPED = ("\\!", "\\left", "\\right", "^{\\circ}", "^\\circ", "\\$")
_UNIT_TEXT = "\\text{ "
_UNITS = (
    "degree",
    "cm",
    "centimeter",
    "meter",
    "mile",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "foot",
    "feet",
    "inch",
    "yard",
)
_REWRITTEN = (
    ("\\%", ""),
    ("$", ""),
    ("%", ""),
    (" or ", " , "),
    (" and ", " , "),
    ("million", "*10^6"),
    ("billion", "*10^9"),
    ("trillion", "*10^12"),
)
_SYMBOLS = str.maketrans({"√": "sqrt", "π": "pi", "∞": "inf", "∪": "U", "·": "*", "×": "*"})
_GROUPED = re.compile(r"(\d),(\d\d\d)(?=$|\D)")
_INTEGER_ERROR = 1e-7
"""A number as near as this to a whole one is that one. Source: `_is_int` of the grader."""


def latex_spelling(text: str) -> str:
    r"""LaTeX with one way to write fractions, roots, units and blanks; as it is where that cannot be done."""
    text = _unwrapped(text.strip()).strip()
    try:
        return _one_latex(text)
    except (IndexError, ValueError):
        return text


def plain_spelling(text: str) -> str:
    """Lower-case text without units, braces and blanks, as sympy can read it."""
    text = _unwrapped(text).replace("\\$", "$")
    for old, new in _REWRITTEN:
        text = text.replace(old, new)
    for unit in _UNITS:
        text = re.sub(rf"{unit}(es)?s? *(\^[0-9]+)?", "", text)
    text = re.sub(r"\^ *\\circ", "", text)
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    text = re.sub(r",\\! *", "", text)
    if (whole := _as_integer(text)) is not None:
        text = str(round(whole))
    if "\\" in text:
        text = _without_latex(text)
    text = re.sub("- *", "-", text)
    text = re.sub("([0-9]) +([0-9])", r"\1+\2", text)  # a mixed number is a sum
    text = text.translate(str.maketrans("", "", " {}")).lower()
    if is_integer(text):
        text = str(int(float(text.replace(",", ""))))
    return text


def is_integer(text: str) -> bool:
    """Is it a whole number (to _INTEGER_ERROR)? Commas between its groups of three are left out."""
    return _as_integer(without_group_commas(text)) is not None


def without_group_commas(text: str) -> str:
    """`12,345` -> `12345`; the commas of a list stay."""
    while (shorter := _GROUPED.sub(r"\1\2", text)) != text:
        text = shorter
    return text


def _as_integer(text: str) -> float | None:
    """The number, if it is a whole one."""
    with contextlib.suppress(ValueError, OverflowError):
        value = float(text)
        return value if abs(value - round(value)) <= _INTEGER_ERROR else None
    return None


def _unwrapped(text: str) -> str:
    found = _WRAPPED.search(text)
    return found.group(1) if found else text


def _without_latex(text: str) -> str:
    with extras.named():
        from pylatexenc.latex2text import LatexNodes2Text

    # A half-written fraction is no news to the user.
    logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)
    for fraction in ("\\tfrac", "\\dfrac"):
        text = text.replace(fraction, "\\frac")
    spaced = text.replace("\\frac", " \\frac")  # a number before it makes it a mixed one
    try:
        read: str = LatexNodes2Text().latex_to_text(spaced)
    except Exception:  # the grader takes whatever goes wrong in there as "leave it as it is"
        return text
    return read.translate(_SYMBOLS).strip()


def _one_latex(text: str) -> str:
    """Raises: IndexError, ValueError where the official grader gives up, too."""
    text = text.replace("\n", "").replace("\\!", "").replace("\\\\", "\\")
    text = text.replace("tfrac", "frac").replace("dfrac", "frac")
    for part in _DROPPED:
        text = text.replace(part, "")
    if _UNIT_TEXT in text:
        text, _ = text.split(_UNIT_TEXT)
    text = text.replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.")
    if not text:
        return text
    if text[0] == ".":
        text = f"0{text}"
    name, equals, value = text.partition("=")
    if equals and "=" not in value and len(name) <= 2:
        text = value
    text = _fractions(_roots(text).replace(" ", ""))
    return _from_slash("\\frac{1}{2}" if text == "0.5" else text)


def _roots(text: str) -> str:
    first, *rest = text.split("\\sqrt")
    return first + "".join(
        "\\sqrt" + (part if part[0] == "{" else f"{{{part[0]}}}{part[1:]}") for part in rest
    )


def _fractions(text: str) -> str:
    first, *rest = text.split("\\frac")
    made = [first]
    for part in rest:
        if part[0] != "{":
            if len(part) < 2:
                return text
            below = part[1] if part[1] == "{" else f"{{{part[1]}}}"
            part = f"{{{part[0]}}}{below}{part[2:]}"
        made.append(part)
    return "\\frac".join(made)


def _from_slash(text: str) -> str:
    above, slash, below = text.partition("/")
    with contextlib.suppress(ValueError):
        if slash and text == f"{int(above)}/{int(below)}":
            return f"\\frac{{{above}}}{{{below}}}"
    return text
