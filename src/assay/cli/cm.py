"""The CM and MLC verbs: `assay run script --tags=…`, `assay cm …`, `assay mlc …`, `assay mlcr TAGS`.

This module and its top-level imports must stay cheap: `find` takes only a few hundredths of a second.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from assay.cli.terminal import say, say_json, tell
from assay.ground.errors import ConfigError
from assay.ground.printable import indented, printable
from assay.recipes.actions.dispatch import perform
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFault
from assay.recipes.home.location import home_from
from assay.recipes.run.context import Context

if TYPE_CHECKING:
    from assay.recipes.run.builtin import Builtin

# The commands of the original tools: dialect, and the words that each replaces.
WRAPPERS = {
    "cm": ("cm",),
    "cmr": ("cm", "run", "script"),
    "cmrd": ("cm", "docker", "script"),
    "mlc": ("mlc",),
    "mlcr": ("mlc", "run", "script"),
    "mlcd": ("mlc", "docker", "script"),
    "mlct": ("mlc", "test", "script"),
    "mlcp": ("mlc", "pull", "repo"),
    "mlce": ("mlc", "experiment", "script"),
}
USAGE = "{action} {automation} {artifact(s)} {flags} @input.yaml @input.json"


class UserConsole:
    """The console of the user: a terminal or a pipe."""

    def __init__(self, *, quiet_stdout: bool = False) -> None:
        self.quiet_stdout = quiet_stdout

    def say(self, text: str) -> None:
        if not self.quiet_stdout:
            say(text)

    def note(self, text: str) -> None:
        sys.stdout.flush()
        tell(indented(text))  # a name in it may contain a line end

    def ask(self, question: str) -> str | None:
        if self.quiet_stdout:
            self.note(question)
            question = ""
        try:
            return input(printable(question))
        except EOFError:
            self.say("")  # the question is on its own line
            return None


def main(argv: list[str]) -> int:
    """Runs one CM or MLC command line. Returns CM's return number, which is the exit code."""
    dialect, words = _spelling(argv)
    json_out = False
    inputs: dict[str, Any] = {}
    try:
        inputs = _parse(dialect, words)
        json_out = inputs.get("out") == "json" or _lists_as_json(inputs)
        if inputs.get("save_to_json") is True:
            raise RecipeFault("--save_to_json names no file", 1, "--save_to_json=FILE")
        answer = _perform(dialect, inputs, quiet=json_out)
        if json_out:
            _print_json(answer)
        if inputs.get("save_to_json"):
            _save_json(str(inputs["save_to_json"]), answer)
    except RecipeFault as fault:
        from assay.recipes.contract.secrets import in_text

        known = (os.environ, inputs)
        if json_out:
            _print_json({**fault.answer(), "error": in_text(fault.message, *known)})
        else:
            sys.stdout.flush()
            tell(in_text(f"\n{dialect.upper()} error: {indented(fault.message)}!", *known))
            for line in [*fault.details(), *([f"try: {fault.hint}"] if fault.hint else [])]:
                tell(in_text(indented(f"  {line}"), *known))
        return min(fault.code, 1) if dialect == "mlc" else fault.code % 256 or 1
    return 0


def _lists_as_json(inputs: dict[str, Any]) -> bool:
    """Whether only JSON is to be printed. In `show repo --json` and `find script -j` it replaces the list; for a run
    it follows the log."""
    runs = ("run", "docker", "docker_run", "docker-run", "test", "prepare")
    return inputs.get("action") not in runs and bool(inputs.get("json") or inputs.get("j"))


def _spelling(argv: list[str]) -> tuple[str, list[str]]:
    """(dialect, words of the action) of a command line that begins with an original tool's name or with a CM verb."""
    wrapper = WRAPPERS.get(argv[0])
    return (wrapper[0], [*wrapper[1:], *argv[1:]]) if wrapper else ("cm", argv)


def _parse(dialect: str, words: list[str]) -> dict[str, Any]:
    if dialect == "cm":
        return parse(words)
    from assay.recipes.contract.mlc_argv import parse as parse_mlc

    return parse_mlc(words, interactive=sys.stdin.isatty())


def _perform(dialect: str, inputs: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    if ("action" not in inputs and inputs.get("version")) or inputs.get("action") == "version":
        from assay import __version__

        say(__version__)
        return {"return": 0, "version": __version__}
    action = inputs.get("action")
    if not action or (action == "help" and not inputs.get("automation")):
        say(f"{dialect} {USAGE}")
        return {"return": 0}
    needs_builtins = action in ("run", "docker", "test", "prepare", "doc", "show", "dockerfile")
    home = home_from(os.environ, dialect)
    context = Context(
        home, UserConsole(quiet_stdout=quiet), os.environ, own_recipes() if needs_builtins else None
    )
    return perform(context, inputs)


def own_recipes() -> list[Builtin]:
    """The built-in recipes; none with `ASSAY_BUILTIN=0`. Raises: ConfigError for a value that is neither on nor off."""
    asked = os.environ.get("ASSAY_BUILTIN", "")
    if asked.lower() in ("0", "no", "off", "false"):
        return []
    if asked.lower() not in ("", "1", "yes", "on", "true"):
        raise ConfigError(f"ASSAY_BUILTIN is {asked[:40]!r}", "0: no recipes of Assay's own; 1: they answer")
    from assay.cli.builtins import builtins

    return builtins(os.environ)


def _print_json(answer: dict[str, Any]) -> None:
    from assay.recipes.contract.secrets import hidden
    from assay.recipes.tools.records import as_json

    say_json(as_json(hidden(answer)))


def _save_json(name: str, answer: dict[str, Any]) -> None:
    from pathlib import Path

    from assay.ground.files import write_text
    from assay.recipes.contract.secrets import hidden
    from assay.recipes.tools.records import as_json

    write_text(Path(name), as_json(hidden(answer)) + "\n")
