"""How the options of a verb are read: argparse, with errors in our own form, and nothing dropped in silence."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

from assay.ground.errors import ConfigError, did_you_mean

LONG_DASHES = ("\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")


class Parser(argparse.ArgumentParser):
    """Raises ConfigError where argparse would print its usage and exit. Parsers of verbs below a verb are such, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # `--min-duration -1s` has a value, which the option refuses by name; argparse knows only -1 and -1.5 as such.
        self._negative_number_matcher = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        found = re.search(r"invalid choice: '?(.*?)'? \(choose from (.*)\)", message)
        if found:
            near = did_you_mean(found[1], [word.strip(" '\"") for word in found[2].split(",")])
            raise ConfigError(f"{self.prog}: {message.split(' (choose')[0]}", near)
        raise ConfigError(f"{self.prog}: {message}", f"`{self.prog} --help` lists its options")


def refuse_unclear(words: list[str], parser: argparse.ArgumentParser) -> None:
    """Raises: ConfigError for an option with a long dash, and for one that is given twice with different values."""
    known, given = options(parser), dict[str, str]()
    for place, word in enumerate(words):
        if word == "--":
            return
        if word.startswith(LONG_DASHES):
            name = word.lstrip("".join(LONG_DASHES))
            raise ConfigError(f"{word!r} begins with a long dash, as word processors make it", f"--{name}")
        name, has_value, value = word.partition("=")
        if not isinstance(known.get(name), argparse._StoreAction):
            continue
        text = value if has_value else " ".join(words[place + 1 : place + 2])
        if given.setdefault(name, text) != text:
            raise ConfigError(
                f"{name} is given twice: {given[name]} and {text}",
                f"one {name}; several values stand in one, as in --scenario offline,server",
            )


def options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Every option of a parser and of the parsers below it."""
    found: dict[str, argparse.Action] = {}
    for action in parser._actions:
        found |= dict.fromkeys(action.option_strings, action)
        if isinstance(action.choices, dict):
            for below in action.choices.values():
                found |= options(below)
    return found
