"""What a generated program can do: each step as a phrase, as a line of code in six languages, and as a meaning.

The templates hold `{k}` for the step's constant. Knows nothing of functions, tests or prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

Domain = Literal["number", "list", "text"]
"""Of a variable, and of the value that a function ends with."""
Constant = int | str

Meaning = Callable[[Any, Any], Any]
"""(value of the variable, constant) -> the new value."""
Draw = Callable[[Random], Constant]

LANGUAGES = ("python", "javascript", "ruby", "php", "cpp", "typescript")
FiveTexts = tuple[str, str, str, str, str]
"""A text for each language, in the order of LANGUAGES without typescript, which shares javascript's."""


def text_for(language: str, texts: FiveTexts) -> str:
    """The text of one language."""
    return texts[LANGUAGES.index("javascript" if language == "typescript" else language)]


def _no_constant(rng: Random) -> Constant:
    return ""


@dataclass(frozen=True)
class StepKind:
    """One thing that a line can do to the variable `n`, `items` or `s`; `code` has its templates."""

    name: str
    phrase: str
    code: FiveTexts
    meaning: Meaning
    constant: Draw = _no_constant

    def line(self, language: str, constant: Constant) -> str:
        """The line of code in `language` with the constant put in."""
        return text_for(language, self.code).replace("{k}", str(constant))


def _digit(rng: Random) -> int:
    return rng.randint(2, 9)


def _bound(rng: Random) -> int:
    return rng.randint(3, 20)


def _digits(rng: Random) -> Constant:
    return str(rng.randint(10, 99))


def _arithmetic(name: str, phrase: str, right: str, meaning: Meaning, constant: Draw) -> StepKind:
    lines = (
        f"n = {right}",
        f"n = {right};",
        f"n = {right}",
        f"$n = {right};".replace("= n", "= $n"),
        f"n = {right};",
    )
    return StepKind(name, phrase, lines, meaning, constant)


NUMBER_STEPS = (
    _arithmetic("times", "multiply n by {k}", "n * {k}", lambda n, k: n * k, _digit),
    _arithmetic("plus", "add {k} to n", "n + {k}", lambda n, k: n + k, _bound),
    _arithmetic("minus", "subtract {k} from n", "n - {k}", lambda n, k: n - k, _bound),
    StepKind(
        "square",
        "square n",
        ("n = n * n", "n = n * n;", "n = n * n", "$n = $n * $n;", "n = n * n;"),
        lambda n, k: n * n,
    ),
    StepKind(
        "negate",
        "negate n",
        ("n = 0 - n", "n = 0 - n;", "n = 0 - n", "$n = 0 - $n;", "n = 0 - n;"),
        lambda n, k: -n,
    ),
    StepKind(
        "absolute",
        "take the absolute value of n",
        ("n = abs(n)", "n = Math.abs(n);", "n = n.abs", "$n = abs($n);", "n = abs(n);"),
        lambda n, k: abs(n),
    ),
    StepKind(
        "at_most",
        "make n at most {k}",
        (
            "n = min(n, {k})",
            "n = Math.min(n, {k});",
            "n = [n, {k}].min",
            "$n = min($n, {k});",
            "n = min(n, {k});",
        ),
        lambda n, k: min(n, k),
        _bound,
    ),
    StepKind(
        "at_least",
        "make n at least {k}",
        (
            "n = max(n, {k})",
            "n = Math.max(n, {k});",
            "n = [n, {k}].max",
            "$n = max($n, {k});",
            "n = max(n, {k});",
        ),
        lambda n, k: max(n, k),
        _bound,
    ),
    StepKind(
        "if_even",
        "if n is even add {k}",
        (
            "n = n + {k} if n % 2 == 0 else n",
            "if (n % 2 == 0) n = n + {k};",
            "n = n + {k} if n % 2 == 0",
            "if ($n % 2 == 0) $n = $n + {k};",
            "if (n % 2 == 0) n = n + {k};",
        ),
        lambda n, k: n + k if n % 2 == 0 else n,
        _digit,
    ),
    StepKind(
        "if_odd",
        "if n is odd subtract {k}",
        (
            "n = n - {k} if n % 2 != 0 else n",
            "if (n % 2 != 0) n = n - {k};",
            "n = n - {k} if n % 2 != 0",
            "if ($n % 2 != 0) $n = $n - {k};",
            "if (n % 2 != 0) n = n - {k};",
        ),
        lambda n, k: n - k if n % 2 != 0 else n,
        _digit,
    ),
)


def _keep(name: str, phrase: str, test: str, meaning: Meaning, constant: Draw = _no_constant) -> StepKind:
    lines = (
        f"items = [x for x in items if {test}]",
        f"items = items.filter((x) => {test});",
        f"items = items.select {{ |x| {test} }}",
        f"$items = array_values(array_filter($items, fn($x) => ${test}));",
        f"items.erase(remove_if(items.begin(), items.end(), [](int x) {{ return !({test}); }}), items.end());",
    )
    return StepKind(name, phrase, lines, meaning, constant)


def _each(name: str, phrase: str, value: str, meaning: Meaning, constant: Draw) -> StepKind:
    lines = (
        f"items = [{value} for x in items]",
        f"items = items.map((x) => {value});",
        f"items = items.map {{ |x| {value} }}",
        f"$items = array_map(fn($x) => ${value}, $items);",
        f"for (int &x : items) x = {value};",
    )
    return StepKind(name, phrase, lines, meaning, constant)


LIST_STEPS = (
    _keep("keep_even", "keep the even items", "x % 2 == 0", lambda xs, k: [x for x in xs if x % 2 == 0]),
    _keep("keep_odd", "keep the odd items", "x % 2 != 0", lambda xs, k: [x for x in xs if x % 2 != 0]),
    _keep(
        "keep_above", "keep the items above {k}", "x > {k}", lambda xs, k: [x for x in xs if x > k], _bound
    ),
    _keep(
        "keep_below", "keep the items below {k}", "x < {k}", lambda xs, k: [x for x in xs if x < k], _bound
    ),
    _each("each_times", "multiply each item by {k}", "x * {k}", lambda xs, k: [x * k for x in xs], _digit),
    _each("each_plus", "add {k} to each item", "x + {k}", lambda xs, k: [x + k for x in xs], _bound),
    _each("each_minus", "subtract {k} from each item", "x - {k}", lambda xs, k: [x - k for x in xs], _bound),
    StepKind(
        "sort",
        "sort the items",
        (
            "items = sorted(items)",
            "items = items.sort((a, b) => a - b);",
            "items = items.sort",
            "sort($items);",
            "sort(items.begin(), items.end());",
        ),
        lambda xs, k: sorted(xs),
    ),
    StepKind(
        "turn",
        "reverse the items",
        (
            "items = items[::-1]",
            "items = items.reverse();",
            "items = items.reverse",
            "$items = array_reverse($items);",
            "reverse(items.begin(), items.end());",
        ),
        lambda xs, k: xs[::-1],
    ),
    StepKind(
        "append",
        "append {k} to the items",
        (
            "items = items + [{k}]",
            "items.push({k});",
            "items = items + [{k}]",
            "$items[] = {k};",
            "items.push_back({k});",
        ),
        lambda xs, k: [*xs, k],
        _bound,
    ),
)

TEXT_STEPS = (
    StepKind(
        "upper",
        "make s upper case",
        (
            "s = s.upper()",
            "s = s.toUpperCase();",
            "s = s.upcase",
            "$s = strtoupper($s);",
            "for (char &c : s) c = toupper(c);",
        ),
        lambda s, k: s.upper(),
    ),
    StepKind(
        "lower",
        "make s lower case",
        (
            "s = s.lower()",
            "s = s.toLowerCase();",
            "s = s.downcase",
            "$s = strtolower($s);",
            "for (char &c : s) c = tolower(c);",
        ),
        lambda s, k: s.lower(),
    ),
    StepKind(
        "flip",
        "reverse s",
        (
            "s = s[::-1]",
            's = s.split("").reverse().join("");',
            "s = s.reverse",
            "$s = strrev($s);",
            "reverse(s.begin(), s.end());",
        ),
        lambda s, k: s[::-1],
    ),
    StepKind(
        "end_with",
        'put "{k}" after s',
        ('s = s + "{k}"', 's = s + "{k}";', 's = s + "{k}"', '$s = $s . "{k}";', 's = s + "{k}";'),
        lambda s, k: s + k,
        _digits,
    ),
    StepKind(
        "start_with",
        'put "{k}" before s',
        ('s = "{k}" + s', 's = "{k}" + s;', 's = "{k}" + s', '$s = "{k}" . $s;', 's = "{k}" + s;'),
        lambda s, k: k + s,
        _digits,
    ),
    StepKind(
        "copies",
        "repeat s {k} times",
        (
            "s = s * {k}",
            "s = s.repeat({k});",
            "s = s * {k}",
            "$s = str_repeat($s, {k});",
            "{ string t = s; for (int i = 1; i < {k}; i++) s = s + t; }",
        ),
        lambda s, k: s * k,
        _digit,
    ),
    StepKind(
        "without_first",
        "drop the first letter of s",
        ("s = s[1:]", "s = s.slice(1);", "s = s[1..]", "$s = substr($s, 1);", "s = s.substr(1);"),
        lambda s, k: s[1:],
    ),
)


@dataclass(frozen=True)
class Ending:
    """What the function returns, as a phrase, as the returned value in each language, and as a meaning."""

    name: str
    phrase: str
    value: FiveTexts
    result: Domain
    meaning: Callable[[Any], Any]


STEPS: dict[Domain, tuple[StepKind, ...]] = {"number": NUMBER_STEPS, "list": LIST_STEPS, "text": TEXT_STEPS}

ENDINGS: dict[Domain, tuple[Ending, ...]] = {
    "number": (Ending("value", "return n", ("n", "n", "n", "$n", "n"), "number", lambda n: n),),
    "list": (
        Ending(
            "items", "return the items", ("items", "items", "items", "$items", "items"), "list", lambda xs: xs
        ),
        Ending(
            "sum",
            "return their sum",
            (
                "sum(items)",
                "items.reduce((a, x) => a + x, 0)",
                "items.sum",
                "array_sum($items)",
                "accumulate(items.begin(), items.end(), 0)",
            ),
            "number",
            lambda xs: sum(xs),
        ),
        Ending(
            "count",
            "return their count",
            ("len(items)", "items.length", "items.length", "count($items)", "items.size()"),
            "number",
            lambda xs: len(xs),
        ),
    ),
    "text": (
        Ending("text", "return s", ("s", "s", "s", "$s", "s"), "text", lambda s: s),
        Ending(
            "length",
            "return its length",
            ("len(s)", "s.length", "s.length", "strlen($s)", "s.size()"),
            "number",
            lambda s: len(s),
        ),
    ),
}
