"""Reads the options of a verb with argparse. Errors have our own form, and no word is ignored silently."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NoReturn

from assay.cli import intents
from assay.ground.errors import ConfigError, did_you_mean
from assay.ground.redact import addresses

OPTIONS_SHOWN = 15
"""Beyond so many the usage names no option: it would be longer than the list below it."""
LONG_DASHES = ("\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")


class Parser(argparse.ArgumentParser):
    """A parser that raises ConfigError where argparse would print its usage and exit. Its subparsers are of this
    class too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # So that `--min-duration -1s` has a value, which the option refuses. argparse accepts only -1 and -1.5.
        self._negative_number_matcher = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        found = re.search(r"invalid choice: '?(.*?)'? \(choose from (.*)\)", message)
        if found:
            near = did_you_mean(found[1], [word.strip(" '\"") for word in found[2].split(",")])
            raise ConfigError(f"{self.prog}: {message.split(' (choose')[0]}", near)
        hint = self._whole_line(message) or f"`{self.prog} --help` lists its options"
        if lacking := re.match(r"argument ([^:/]+)[^:]*: expected one argument", message):
            hint += f"; a value that begins with a dash: {lacking[1]}=VALUE"
        raise ConfigError(f"{self.prog}: {message}", hint)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._words = list(args or ())
        return super().parse_known_args(args, namespace)

    def _whole_line(self, message: str) -> str:
        """The words given with those that are lacking, as one command; empty where nothing is lacking, or a
        subcommand is."""
        found = re.fullmatch(r"the following arguments are required: (.*)", message)
        names = found[1].split(", ") if found else []
        lacking = [each for each in self._actions if argparse._get_action_name(each) in names]
        if any(isinstance(each, argparse._SubParsersAction) for each in lacking):
            return ""
        given = [shlex.quote(addresses(word)) for word in self._words]
        return " ".join([self.prog, *given, *map(_as_typed, lacking)]) if lacking else ""

    def _parse_optional(self, arg_string: str) -> Any:
        """Of `--server-args "-np 8"` argparse would take the value for `-n`: no option has a blank in its name."""
        return None if " " in arg_string.partition("=")[0] else super()._parse_optional(arg_string)


class RequestParser(Parser):
    """A parser of a CM request. Unknown flags belong to the request: they are flags of `run script`."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, others = super().parse_known_args(args, namespace)
        if hasattr(known, "request"):
            known.request += others
            others = []
        return known, others


def parser_of(verb: str, module: ModuleType) -> Parser:
    """The parser of a verb: the options of its module, then those of every verb."""
    parser = Parser(prog=f"assay {verb}", description=module.HELP, allow_abbrev=False)
    module.add_arguments(parser)
    add_common(parser)
    if len(parser._actions) > OPTIONS_SHOWN and not list(below(parser)):
        parser.usage = " ".join([parser.prog.replace("%", "%%"), *_arguments(parser), "[options]"])
    return parser


def _as_typed(action: argparse.Action) -> str:
    """`RUN`, `--submitter NAME`, `--division closed`."""
    choices = [str(each) for each in action.choices or ()]
    # `NAME|FILE` would be a pipe in a shell.
    value = choices[0] if choices else str(action.metavar or action.dest.upper()).partition("|")[0]
    return f"{action.option_strings[0]} {value}" if action.option_strings else value


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """`WORKLOAD`, `[RUN]`: the arguments without a name, and the options that must be given."""
    for action in parser._actions:
        word = str(action.metavar or action.dest.upper())
        if not action.option_strings:
            yield f"[{word}]" if action.nargs in ("?", "*") else word
        elif action.required:
            yield f"{action.option_strings[0]} {word}"


def add_common(parser: argparse.ArgumentParser) -> None:
    """Adds the options of every verb, and other names for the verb's own options, which must be declared before."""
    parsers = [each for _, _, each in below(parser)]
    for each in parsers:
        add_common(each)
    if not parsers:
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object on stdout and nothing else, errors too"
        )
    if not parsers and not isinstance(parser, RequestParser):  # -v and --quiet are flags of `run script`
        parser.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
        parser.add_argument(
            "-v",
            "--verbose",
            action="store_true",
            help="print more: the settings by default, and where in the code an error came from",
        )
    _add_aliases(parser)


def _add_aliases(parser: argparse.ArgumentParser) -> None:
    """Adds other names for the parser's options, except names that the verb uses itself."""
    known = parser._option_string_actions
    apart = intents.OTHERWISE.get(parser.prog.rpartition(" ")[2], ())
    for name, others in intents.ALIASES.items():
        free = [other for other in others if other not in known and other not in apart]
        action = known.get(name)
        # Not added to the action's own names: help, errors and completion show one name and list the others.
        if action is not None and free:
            known.update(dict.fromkeys(free, action))
            action.help = f"{action.help or ''} (also: {', '.join(free)})"


def refuse_unclear(words: list[str], parser: argparse.ArgumentParser) -> None:
    """Raises: ConfigError for an option with a long dash, and for one that is given twice with different values."""
    known, given = options(parser), dict[str, str]()
    for place, word in enumerate(words):
        if word == "--":
            return
        if word.startswith(LONG_DASHES):
            name = word.lstrip("".join(LONG_DASHES))
            raise ConfigError(f"{word!r} begins with a long dash, as word processors insert it", f"--{name}")
        name, has_value, value = word.partition("=")
        action = known.get(name)
        if not isinstance(action, argparse._StoreAction):
            continue
        text, name = value if has_value else " ".join(words[place + 1 : place + 2]), action.option_strings[0]
        if given.setdefault(name, text) != text:
            raise ConfigError(
                f"{name} is given twice: {given[name]} and {text}",
                f"one {name}; several values stand in one, as in --scenario offline,server",
            )


def unknown_options(words: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """The words that look like options and are none of the parser's; none where subcommands have their own."""
    if list(below(parser)):
        return []
    own = words[: words.index("--")] if "--" in words else words
    return [each for each in own if each.startswith("--") and each.partition("=")[0] not in options(parser)]


def options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Every option of a parser and its subparsers, by each of its names."""
    found = dict(parser._option_string_actions)
    for _, _, each in below(parser):
        found |= options(each)
    return found


def below(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """(name, help, parser) of each subcommand, such as `inspect`, `convert` and `build` of dataset."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            yield from ((name, helps.get(name, ""), each) for name, each in action.choices.items())
