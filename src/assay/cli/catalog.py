"""All verbs with their arguments and options, read from the parsers themselves.

Completion, man pages and their JSON are made from it, so they always agree with the parsers.
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
"""Metavars of options that are paths but are read as text."""


@dataclass(frozen=True)
class OptionEntry:
    """One option, or one argument without a name."""

    names: tuple[str, ...]
    """Names of the option, the longest last; empty for an argument."""
    others: tuple[str, ...]
    """Names from other tools that are accepted too."""
    value: str
    """The metavar of its value, such as FILE; empty for a switch."""
    choices: tuple[str, ...]
    """The possible values, if they are a fixed list; else empty."""
    is_path: bool
    is_many: bool
    """Whether the argument may be given several times."""
    help: str


@dataclass(frozen=True)
class CommandEntry:
    """One verb, or a subcommand such as `dataset build`."""

    words: tuple[str, ...]
    help: str
    arguments: tuple[OptionEntry, ...]
    options: tuple[OptionEntry, ...]
    below: tuple[CommandEntry, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(self.words)


def commands() -> tuple[CommandEntry, ...]:
    """Every verb of Assay, without CM's, in the order of the help."""
    known = choices()
    known["--workload"] = known["WORKLOAD"]
    return tuple(
        _command((verb,), help_, parser_of(verb, importlib.import_module(f"assay.cli.{module}")), known)
        for verb, (module, help_) in VERBS.items()
    )


def leaves(of: Iterable[CommandEntry]) -> Iterator[CommandEntry]:
    """The commands that do something. A verb with subcommands does not."""
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
    """The help of an option, with its default filled in."""
    return parser._get_formatter()._expand_help(action) if action.help else ""
