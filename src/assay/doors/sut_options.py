"""Options of a SUT at a door: a field of the config for each one that its SUT declares."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from assay import suts
from assay.config import BenchmarkConfig
from assay.doors.field import Field, of_layer
from assay.ground.errors import ConfigError
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import BETWEEN, SutOption

GROUP = "sut_options"
"""Key in run.yaml and prefix of the dotted names."""


def name_of(option: SutOption) -> str:
    return f"{GROUP}.{option.name}"


def fields(kind: SutKind) -> tuple[Field, ...]:
    """The options of one SUT as fields of BenchmarkConfig."""
    return tuple(
        Field(name_of(o), o.flag, o.read, o.help, o.metavar, is_list=o.is_list, is_switch=o.type is bool)
        for o in kind.options
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of all SUTs, and a help that has those of the SUT named before `--help`; to be called when the verb's
    own options are declared.

    One that two SUTs declare is one flag: the SUT that is asked for reads its text. One that the verb has itself is
    left to run.yaml.
    """
    own, taken = parser._option_string_actions["--help"], set(parser._option_string_actions)
    shown = parser.add_argument_group(f"options of a SUT, by {parser.prog} --sut NAME --help")
    all_of_them = parser.add_argument_group()
    parser._action_groups.remove(all_of_them)  # from the help alone
    told: dict[str, dict[str, list[str]]] = {}
    for kind in suts.kinds():
        shown._group_actions.append(argparse.Action([], kind.name, help=kind.summary.replace("%", "%%")))
        for option in kind.options:
            if option.flag not in taken:
                if option.flag not in told:
                    _add(all_of_them, option)
                told.setdefault(option.flag, {}).setdefault(_help(option), []).append(kind.name)
    for word, takers in told.items():
        helps = (f"{' and '.join(names)}: {text}" for text, names in takers.items())
        parser._option_string_actions[word].help = "; ".join(helps)
    ours = _Help(own.option_strings, shown, own.help)
    parser._option_string_actions.update(dict.fromkeys(own.option_strings, ours))


class _Help(argparse._HelpAction):
    """The help of a verb with the options of one SUT: those of all would be more than is read."""

    def __init__(self, words: Sequence[str], group: argparse._ArgumentGroup, said: str | None) -> None:
        super().__init__(words, help=said)
        self.group = group

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *more: Any) -> None:
        found = [kind for kind in suts.kinds() if kind.name == namespace.sut]
        for kind in found:
            _show(kind, parser, self.group)
        super().__call__(parser, namespace, *more)


def _show(kind: SutKind, parser: argparse.ArgumentParser, group: argparse._ArgumentGroup) -> None:
    group.title, group.description, group._group_actions[:] = (
        f"options of --sut {kind.name}",
        kind.summary,
        (),
    )
    for option in kind.options:
        action = parser._option_string_actions[option.flag]
        if action.dest == name_of(option):
            _, also, others = (action.help or "").partition(" (also: ")
            action.help = f"{_help(option)}{also}{others}"
            group._group_actions.append(action)
        else:
            group.description = (
                f"{option.flag} is taken: {name_of(option)} in a run.yaml asks for {option.help}"
            )


def _add(group: argparse._ArgumentGroup, option: SutOption) -> None:
    # "append" for all: whether a second value is a list or a contradiction is known when the SUT is.
    name, said = name_of(option), _help(option)
    if option.type is bool:
        group.add_argument(option.flag, action="append_const", const="yes", dest=name, help=said)
        group.add_argument(
            f"--no-{option.flag[2:]}",
            dest=name,
            action="append_const",
            const="no",
            help=argparse.SUPPRESS,
        )
    else:
        group.add_argument(option.flag, action="append", metavar=option.metavar, dest=name, help=said)


def _help(option: SutOption) -> str:
    said = option.help.replace("%", "%%")
    return f"{said} (default: {option.default})" if option.default is not None else said


def asked(args: argparse.Namespace) -> dict[str, str]:
    """{dotted name: text} of what a command line gives. Raises: ConfigError for two values of what is no list."""
    found: dict[str, str] = {}
    lists = {name_of(option) for kind in suts.kinds() for option in kind.options if option.is_list}
    for name, texts in vars(args).items():
        if name.startswith(f"{GROUP}.") and texts:
            if name not in lists and len(set(texts)) > 1:
                # The values are not repeated: one may be a secret that was given for its variable.
                raise ConfigError(f"{flag(name)} is given twice, with different values", f"one {flag(name)}")
            found[name] = BETWEEN.join(texts) if name in lists else texts[0]
    return found


def sut_of(names: Iterable[str]) -> str | None:
    """The SUT that takes all options given, where the usual one does not and no other does; None: nobody is meant.

    `--model` says nothing of the SUT: it is what other tools call the checkpoint.
    """
    given = {name for name in names if name.startswith(f"{GROUP}.")} - {f"{GROUP}.model"}
    if not given:
        return None
    takers = [kind.name for kind in suts.kinds() if given <= set(map(name_of, kind.options))]
    return takers[0] if len(takers) == 1 and BenchmarkConfig.sut not in takers else None


def refuse_foreign(kind: SutKind, names: Iterable[str], label: str) -> None:
    """Raises: ConfigError for a dotted name that is no option of `kind`: it says which SUT takes it, or the nearest."""
    own = {name_of(option) for option in kind.options}
    for name in names:
        word = name.removeprefix(f"{GROUP}.")
        if not name.startswith(f"{GROUP}.") or name in own:
            continue
        place = of_layer(label, flag(name))
        takers = [each.name for each in suts.kinds() if name in map(name_of, each.options)]
        if not takers:
            try:
                kind.option(word)
            except ConfigError as error:
                raise ConfigError(f"{error.message} (from {place})", error.hint) from None
        raise ConfigError(
            f"{flag(name)} belongs to the {' and '.join(takers)} SUT, not to {kind.name} (from {place})",
            f"leave it out, or ask for --sut {takers[0]}",
        )


def flag(name: str) -> str:
    return "--" + name.removeprefix(f"{GROUP}.").replace("_", "-")
