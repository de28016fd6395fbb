"""Options of a SUT at a door: a field of the config for each one that its SUT declares."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

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
    """The options of all SUTs, grouped by SUT; to be called when the verb's own options are declared.

    One that two SUTs declare is one flag: the SUT that is asked for reads its text. One that the verb has itself is
    left to run.yaml.
    """
    taken = dict(parser._option_string_actions)
    for kind in suts.kinds():
        group = parser.add_argument_group(f"options of --sut {kind.name}", kind.summary)
        for option in kind.options:
            if option.flag in taken:
                group.description = (
                    f"{option.flag} is taken: {name_of(option)} in a run.yaml asks for {option.help}"
                )
            elif (known := parser._option_string_actions.get(option.flag)) is not None:
                also = "the same" if known.help == _help(option) else _help(option)
                known.help = f"{known.help}; {kind.name}: {also}"
            else:
                _add(group, option)


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
