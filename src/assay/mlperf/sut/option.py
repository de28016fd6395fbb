"""One option of a system under test: declared by the SUT, read by every door.

Knows types and limits; not where a text comes from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from assay.config import OptionValue
from assay.ground.errors import ConfigError, did_you_mean

BETWEEN = "\n"
"""Stands between the values of a list where they are one text: an address or an argument may hold a comma."""
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TRUTH = {
    "yes": True,
    "true": True,
    "on": True,
    "1": True,
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}
Number = int | float


@dataclass(frozen=True)
class SutOption:
    """`token_budget` is `--token-budget` on the command line and `sut_options: {token_budget: …}` in run.yaml."""

    name: str
    """Lower case, words joined by underscores."""
    type: type[str] | type[int] | type[float] | type[bool]
    help: str
    """One line; what it does and, for a number, its unit."""
    default: OptionValue | None = None
    """None = the SUT decides when it is not asked."""
    choices: tuple[str, ...] = ()
    """All values of a text; () = any."""
    least: Number | None = None
    most: Number | None = None
    """Limits of a number, both included."""
    form: str = ""
    """Regular expression that a text matches as a whole; empty = any text."""
    form_words: str = ""
    """The same for a person, as a hint."""
    is_required: bool = False
    """No run can begin without it."""
    is_list: bool = False
    """May be given several times; the value is a tuple of texts."""
    is_variable: bool = False
    """The value is the name of an environment variable that holds a secret, never the secret."""
    refuse: Callable[[str], object] | None = None
    """Raises ConfigError for a text that must not come into a record; its message does not repeat a secret."""

    def __post_init__(self) -> None:
        """Raises: ConfigError for a declaration that no door could offer."""
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"{self.name!r} is no name of an option", "lower case, as token_budget")
        is_of_text = self.choices or self.form or self.is_list or self.is_variable or self.refuse
        if is_of_text and self.type is not str:
            raise ConfigError(
                f"option {self.name}: choices, forms, lists and variables are texts", "type=str"
            )
        if self.type not in (str, int, float, bool):
            raise ConfigError(f"option {self.name} has the type {self.type}", "str, int, float or bool")
        if self.default is not None:
            self.checked(self.default)

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def metavar(self) -> str:
        if self.choices:
            return "{" + ",".join(self.choices) + "}"
        words = {int: "N", float: "X", bool: "YES"}
        return "NAME" if self.is_variable else words.get(self.type, self.name.rpartition("_")[2].upper())

    def read(self, text: str) -> OptionValue:
        """The value of a text. Raises: ConfigError for one that is not of the type or beyond the limits."""
        if self.is_list:
            return tuple(self._text(part) for part in text.split(BETWEEN) if part.strip())
        if self.type is bool:
            return self._truth(text)
        if self.type is str:
            return self._text(text)
        return self._number(text)

    def checked(self, value: OptionValue) -> OptionValue:
        """`value` itself when it is of the type and within the limits; a text is read. Raises: ConfigError."""
        return self.read(BETWEEN.join(value) if isinstance(value, tuple) else text_of(value))

    def _text(self, text: str) -> str:
        word = text.strip()
        if self.is_variable and not _VARIABLE.fullmatch(word):
            # The text is not repeated: it may be the secret itself.
            raise ConfigError(
                f"{self.flag} takes the name of an environment variable", f"{self.flag} MY_API_KEY"
            )
        if not word:
            raise ConfigError(f"{self.flag} has an empty value", "leave the option out, or name a value")
        if self.form and not re.fullmatch(self.form, word):
            raise ConfigError(f"{word[:40]!r} is not a value of {self.flag}", self.form_words)
        if self.refuse is not None:
            self.refuse(word)
        if self.choices and word not in self.choices:
            raise ConfigError(f"{word!r} is not a value of {self.flag}", did_you_mean(word, self.choices))
        return word

    def _truth(self, text: str) -> bool:
        if text.strip().lower() not in _TRUTH:
            raise ConfigError(f"{text!r} is neither yes nor no", f"{self.flag} or --no-{self.flag[2:]}")
        return _TRUTH[text.strip().lower()]

    def _number(self, text: str) -> Number:
        try:
            value: Number = int(text) if self.type is int else float(text)
        except ValueError:
            value = math.nan
        low = -math.inf if self.least is None else self.least
        high = math.inf if self.most is None else self.most
        if not (math.isfinite(value) and low <= value <= high):
            raise ConfigError(f"{text.strip()[:40]!r} is not a value of {self.flag}", self._range())
        return value

    def _range(self) -> str:
        kind = "a whole number" if self.type is int else "a number"
        low = "" if self.least is None else f" from {self.least:g}"
        return kind + low + ("" if self.most is None else f" to {self.most:g}")


def text_of(value: OptionValue | None) -> str:
    """A value as `SutOption.read` takes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return BETWEEN.join(value) if isinstance(value, tuple) else str(value)
