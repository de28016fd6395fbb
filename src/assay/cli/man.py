"""`assay man [VERB …]`: prints a man page for all verbs or for one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json

if TYPE_CHECKING:
    from assay.cli.catalog import CommandEntry, OptionEntry

HELP = "print a man page: assay man bench | man -l -"
EXIT_CODES = (
    ("0", "the job asked for was done"),
    ("1", "findings with errors, or a result that fails by the rules asked for"),
    ("2", "usage or configuration"),
    ("3", "the machine: a package, a tool, memory or disk that is lacking"),
    ("4", "the run failed"),
    ("70", "a bug in Assay"),
    ("130", "interrupted; what was finished is kept"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", nargs="*", metavar="VERB", help="as bench, or dataset build (default: all)")


def run(args: argparse.Namespace) -> int:
    import dataclasses
    import json

    from assay.cli import catalog
    from assay.ground.errors import ConfigError, did_you_mean

    commands = catalog.commands()
    known = {each.name: each for verb in commands for each in (verb, *verb.below)}
    asked = " ".join(args.verb)
    if asked and asked not in known:
        raise ConfigError(f"there is no verb {asked!r}", did_you_mean(asked, known))
    found = (known[asked],) if asked else commands
    if args.json:
        say_json(json.dumps({"commands": [dataclasses.asdict(each) for each in found]}))
    else:
        say(page_of(known[asked]) if asked else page(commands))
    return 0


def page(commands: Sequence[CommandEntry]) -> str:
    """The page assay(1): one line per verb, exit codes, files."""
    lines = _head("assay", "MLPerf Inference for language models, from one command to a checked submission")
    lines += [".SH SYNOPSIS", ".B assay", "VERB [options]", ".SH VERBS"]
    for each in commands:
        lines += _item(each.name, each.help)
        for one in each.below:
            lines += _item(one.name, one.help)
    lines += _item("version", "print the version")
    lines += [".PP", r"CM and MLC command lines work as they stand, with \fBassay\fR for \fBcm\fR."]
    lines += [".SH EXIT STATUS", *(line for code, text in EXIT_CODES for line in _item(code, text))]
    lines += [".SH FILES", *_item("~/.cache/assay", "the store (ASSAY_HOME names another)")]
    lines += _item("./assay-runs", "run folders, unless --out names one")
    lines += [".SH SEE ALSO", f"{_roff('assay man VERB | man -l -')}"]
    return "\n".join(lines)


def page_of(command: CommandEntry) -> str:
    """The page assay-VERB(1): arguments and options of a verb and its subcommands."""
    lines = _head(f"assay-{'-'.join(command.words)}", command.help)
    lines += [".SH SYNOPSIS"]
    for each in command.below or (command,):
        words = " ".join(argument.value for argument in each.arguments)
        lines += [f".B assay {_roff(each.name)}", _roff(f"{words} [options]".strip()), ".br"]
    for each in command.below or (command,):
        title = f" OF {each.words[-1].upper()}" if command.below else ""
        if each.arguments:
            lines += [f".SH ARGUMENTS{title}", *_entries(each.arguments)]
        lines += [f".SH OPTIONS{title}", *_entries(each.options)]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR assay (1)"])


def _head(name: str, text: str) -> list[str]:
    from assay import __version__

    return [f'.TH "{name.upper()}" "1" "" "assay {__version__}"', ".SH NAME", _roff(f"{name} - {text}")]


def _entries(entries: Iterable[OptionEntry]) -> list[str]:
    lines = []
    for each in entries:
        name = ", ".join(each.names)
        value = each.value if not each.names else f" {each.value}" if each.value else ""
        choices = f" (one of: {', '.join(each.choices)})" if each.choices else ""
        lines += _item(f"{name}{value}", f"{each.help}{choices}")
    return lines


def _item(name: str, text: str) -> list[str]:
    return [".TP", f".B {_roff(name)}", _roff(text) or r"\&"]


def _roff(text: str) -> str:
    """Escapes a line for roff, so that it contains no commands. Hyphens stay hyphens, so that options can be copied."""
    line = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{line}" if line.startswith((".", "'")) else line
