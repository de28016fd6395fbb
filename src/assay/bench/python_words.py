"""Errors as a Python program reads them: an option of the command line is an argument there.

Errors are written once, in the words of the command line; a command in backticks stays one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from assay import suts
from assay.ground.errors import AssayError

Given = ParamSpec("Given")
Made = TypeVar("Made")
FLAG = re.compile(r"--([a-z][a-z0-9-]*)(?:[ =](?=([\w/\"']+)))?")
PROSE = frozenset(
    (
        "is",
        "has",
        "alone",
        "out",
        "of",
        "or",
        "and",
        "with",
        "to",
        "in",
        "for",
        "as",
        "at",
        "names",
        "says",
        "takes",
        "asks",
        "needs",
    )
)
"""What follows an option in a sentence and is no value of it."""


def spoken(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """The function, whose errors name its own arguments."""
    arguments = inspect.signature(function).parameters
    switches = frozenset(name for name, each in arguments.items() if isinstance(each.default, bool))

    @wraps(function)
    def called(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        try:
            return function(*args, **kwargs)
        except AssayError as error:
            takes_options = "sut_options" in arguments
            options = (
                {option.name for kind in suts.kinds() for option in kind.options} if takes_options else ()
            )
            error.message, error.hint = (
                translated(text, frozenset(arguments), switches, frozenset(options))
                for text in (error.message, error.hint)
            )
            raise

    return called


def translated(
    text: str, arguments: frozenset[str], switches: frozenset[str], options: frozenset[str]
) -> str:
    """`--samples 8 or fewer` as `samples=8 or fewer`, `--rerun` as `rerun=True`, `--url URL` as `sut_options
    url=URL`. What is neither stays as it is. Pure."""

    def said(found: re.Match[str]) -> str:
        name, follows = found[1].replace("-", "_"), found[2]
        rest = "" if follows is None else " "
        if name in switches:
            return f"{name}=True{rest}"
        if name.removeprefix("no_") in switches:
            return f"{name.removeprefix('no_')}=False{rest}"
        if name not in arguments | options:
            return found[0]
        word = name if name in arguments else f"sut_options {name}"
        return f"{word}=" if follows and follows not in PROSE else f"{word}{rest}"

    parts = text.split("`")
    return "`".join(part if at % 2 else FLAG.sub(said, part) for at, part in enumerate(parts))
