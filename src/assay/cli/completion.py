"""`assay completion SHELL`: prints a script that completes verbs, options and values in bash, zsh or fish."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from assay.cli.catalog import leaves
from assay.cli.terminal import say, say_json
from assay.cli.verbs import CM_VERBS

if TYPE_CHECKING:
    from assay.cli.catalog import CommandEntry, OptionEntry

HELP = """print a script that completes verbs, options and values: eval "$(assay completion bash)" """.strip()
HINT_CHARS = 70
"""Longest help text shown beside an option, in characters."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(WRITERS), metavar="SHELL", help=", ".join(WRITERS))


def run(args: argparse.Namespace) -> int:
    import json

    from assay.cli import catalog

    script = WRITERS[args.shell](catalog.commands())
    if args.json:
        say_json(json.dumps({"shell": args.shell, "script": script}))
    else:
        say(script)
    return 0


def _verbs(commands: Sequence[CommandEntry]) -> list[tuple[str, str]]:
    """(verb, help) of all verbs. Verbs that only CM has come last, without help."""
    own = [(each.words[0], each.help) for each in commands]
    names = {verb for verb, _ in own}
    return [*own, ("help", ""), ("version", "print the version")] + [
        (verb, "") for verb in sorted(CM_VERBS - names - {"help"}) if "_" not in verb
    ]


def _hint(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= HINT_CHARS else f"{line[: HINT_CHARS - 1].rstrip()}…"


def bash(commands: Sequence[CommandEntry]) -> str:
    """A bash function. The words before the cursor (COMP_WORDS) decide whether verbs, options or values are
    completed."""
    cases = []
    for each in leaves(commands):
        names = " ".join(name for option in each.options for name in option.names)
        cases.append(f'        {shlex.quote(each.name)}) options="{names}" ;;')
    values = []
    for each in leaves(commands):
        for option in (*each.options, *each.arguments):
            if option.choices:
                keys = "|".join(
                    shlex.quote(f"{each.name} {name}") for name in (*option.names, *option.others) or ("",)
                )
                values.append(f'        {keys}) values="{" ".join(option.choices)}" ;;')
    nested = [each for each in commands if each.below]
    below = [
        f'        {each.words[0]}) verbs="{" ".join(one.words[1] for one in each.below)}" ;;'
        for each in nested
    ]
    return "\n".join(
        [
            "# assay completion bash",
            "_assay() {",
            '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
            '    local verbs="" options="" values="" command="${COMP_WORDS[1]}"',
            "    # --round=v6 is three words for bash",
            '    if [ "$word" = "=" ]; then word=""',
            '    elif [ "$before" = "=" ]; then before="${COMP_WORDS[COMP_CWORD-2]}"; fi',
            '    if [ "$COMP_CWORD" -eq 1 ]; then',
            f'        COMPREPLY=($(compgen -W "{" ".join(verb for verb, _ in _verbs(commands))}" -- "$word"))',
            "        return",
            "    fi",
            '    case "$command" in',
            *below,
            "    esac",
            '    if [ -n "$verbs" ]; then',
            '        if [ "$COMP_CWORD" -eq 2 ]; then',
            '            COMPREPLY=($(compgen -W "$verbs" -- "$word"))',
            "            return",
            "        fi",
            '        command="$command ${COMP_WORDS[2]}"',
            "    fi",
            '    case "$command" in',
            *cases,
            "    esac",
            '    case "$before" in -*) ;; *) before="" ;; esac',
            '    case "$command $before" in',
            *values,
            "    esac",
            '    case "$word" in',
            '        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;',
            '        *) COMPREPLY=($(compgen -W "$values" -- "$word")) ;;',
            "    esac",
            "}",
            "complete -o default -F _assay assay",
        ]
    )


def zsh(commands: Sequence[CommandEntry]) -> str:
    """A zsh function for `_arguments`. It can be sourced, or saved as `_assay` in a folder of fpath."""
    lines = [
        "#compdef assay",
        "_assay() {",
        '    local command="$words[2]"',
        "    local -a verbs",
        "    verbs=(",
    ]
    lines += [f"        {_zsh_pair(verb, text)}" for verb, text in _verbs(commands)]
    lines += [
        "    )",
        "    if (( CURRENT == 2 )); then",
        "        _describe verb verbs",
        "        return",
        "    fi",
    ]
    lines.append('    case "$command" in')
    for each in commands:
        if each.below:
            pairs = " ".join(_zsh_pair(one.words[1], one.help) for one in each.below)
            lines += [
                f"        {each.words[0]})",
                f"            if (( CURRENT == 3 )); then verbs=({pairs}); _describe verb verbs; return; fi",
                '            command="$command $words[3]"; shift words; (( CURRENT-- )) ;;',
            ]
    lines += ["    esac", "    shift words; (( CURRENT-- ))", '    case "$command" in']
    for each in leaves(commands):
        specs = [spec for option in each.options for spec in _zsh_option(option)]
        specs += [_zsh_argument(argument) for argument in each.arguments]
        lines += [f"        {shlex.quote(each.name)})", "            _arguments \\"]
        lines += [f"                {shlex.quote(spec)} \\" for spec in specs]
        lines += ["                ;;"]
    lines += ["        *) _files ;;", "    esac", "}"]
    lines += ['if [ "$funcstack[1]" = "_assay" ]; then _assay "$@"; else compdef _assay assay; fi']
    return "\n".join(lines)


def _zsh_pair(word: str, text: str) -> str:
    return shlex.quote(f"{word}:{_hint(text)}" if text else word)


def _zsh_option(option: OptionEntry) -> Iterable[str]:
    hint = (
        _hint(option.help).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    )
    for name in option.names:
        takes = "=" if option.value and name.startswith("--") else ""
        yield f"*{name}{takes}[{hint}]{_zsh_value(option) if option.value else ''}"


def _zsh_value(option: OptionEntry) -> str:
    label = option.value.replace(":", "\\:")
    return f":{label}:({' '.join(option.choices)})" if option.choices else f":{label}:{_zsh_files(option)}"


def _zsh_files(option: OptionEntry) -> str:
    return "_files" if option.is_path else " "


def _zsh_argument(argument: OptionEntry) -> str:
    return f"{'*' if argument.is_many else ''}{_zsh_value(argument)}"


def fish(commands: Sequence[CommandEntry]) -> str:
    """One `complete` command of fish for each possible word."""
    lines = ["# assay completion fish", "complete -c assay -f"]
    for verb, text in _verbs(commands):
        lines.append(_fish("__fish_use_subcommand", f"-a {verb}", text))
    for each in commands:
        seen = f"__fish_seen_subcommand_from {each.words[0]}"
        names = " ".join(one.words[1] for one in each.below)
        for one in each.below:
            free = f"{seen}; and not __fish_seen_subcommand_from {names}"
            lines.append(_fish(free, f"-a {one.words[1]}", one.help))
        for one in each.below or (each,):
            also = f"{seen}; and __fish_seen_subcommand_from {one.words[1]}" if each.below else seen
            lines += [_fish_option(also, option) for option in one.options]
            lines += [_fish_argument(also, argument) for argument in one.arguments]
    return "\n".join(line for line in lines if line)


def _fish_option(condition: str, option: OptionEntry) -> str:
    words = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    if option.choices:
        words.append(f"-x -a {shlex.quote(' '.join(option.choices))}")
    elif option.value:
        words.append("-r -F" if option.is_path else "-x")
    return _fish(condition, " ".join(words), option.help)


def _fish_argument(condition: str, argument: OptionEntry) -> str:
    if argument.choices:
        return _fish(condition, f"-a {shlex.quote(' '.join(argument.choices))}", "")
    return _fish(condition, "-F", "") if argument.is_path else ""


def _fish(condition: str, words: str, text: str) -> str:
    hint = f" -d {_fish_quote(_hint(text))}" if text else ""
    return f"complete -c assay -n {_fish_quote(condition)} {words}{hint}"


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


WRITERS = {"bash": bash, "zsh": zsh, "fish": fish}
