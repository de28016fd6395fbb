"""What can be typed: every verb with its arguments and options, read from the parsers themselves.

Completion, man pages and their JSON are made of it, so that none of them can say what a parser does not take.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.cli.arguments import below, parser_of
from assay.cli.choices import choices
from assay.cli.verbs import VERBS
from assay.ground import paths

PATH_READERS = (Path, paths.source, paths.given)
PATH_WORDS = ("DIR", "FILE", "FOLDER", "RUN", "LOG", "file", "folder", "path")
"""Metavars of what is a path although it is read as text."""


@dataclass(frozen=True)
class OptionEntry:
    """One option, or one argument without a name."""

    names: tuple[str, ...]
    """Its own, the longest last; none of an argument."""
    others: tuple[str, ...]
    """Names of other tools that it answers to."""
    value: str
    """What its value is called, as FILE; empty for a switch."""
    choices: tuple[str, ...]
    """What the value may be, as far as that is a list."""
    is_path: bool
    is_many: bool
    """An argument that may be several."""
    help: str


@dataclass(frozen=True)
class CommandEntry:
    """One verb, or one that stands below a verb: `dataset build`."""

    words: tuple[str, ...]
    help: str
    arguments: tuple[OptionEntry, ...]
    options: tuple[OptionEntry, ...]
    below: tuple[CommandEntry, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(self.words)


def commands() -> tuple[CommandEntry, ...]:
    """Every verb of Assay's own, in the order of the help."""
    known = choices()
    known["--workload"] = known["WORKLOAD"]
    return tuple(
        _command((verb,), help_, parser_of(verb, importlib.import_module(f"assay.cli.{module}")), known)
        for verb, (module, help_) in VERBS.items()
    )


def leaves(of: Iterable[CommandEntry]) -> Iterator[CommandEntry]:
    """Those that do something: a verb with verbs below it does not."""
    for each in of:
        yield from leaves(each.below) if each.below else (each,)


def _command(
    words: tuple[str, ...], help_: str, parser: argparse.ArgumentParser, known: Mapping[str, list[str]]
) -> CommandEntry:
    entries = [(action, _entry(action, parser, known)) for action in parser._actions if _is_shown(action)]
    return CommandEntry(
        words,
        help_,
        tuple(entry for action, entry in entries if not action.option_strings),
        tuple(entry for action, entry in entries if action.option_strings),
        tuple(_command((*words, name), told, one, known) for name, told, one in below(parser)),
    )


def _is_shown(action: argparse.Action) -> bool:
    return action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction)


def _entry(
    action: argparse.Action, parser: argparse.ArgumentParser, known: Mapping[str, list[str]]
) -> OptionEntry:
    names = tuple(sorted(action.option_strings, key=len))
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    value = "" if action.nargs == 0 else metavar or action.dest.rpartition(".")[2].upper()
    others = tuple(
        name for name, one in parser._option_string_actions.items() if one is action and name not in names
    )
    of_name = known.get(names[-1] if names else action.dest.upper(), ())
    return OptionEntry(
        names=names,
        others=others,
        value=value,
        choices=tuple(map(str, action.choices)) if action.choices else tuple(of_name),
        is_path=action.type in PATH_READERS or value in PATH_WORDS,
        is_many=action.nargs in ("*", "+"),
        help=_told(action, parser),
    )


def _told(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """The help of an option with its default in it."""
    return parser._get_formatter()._expand_help(action) if action.help else ""
