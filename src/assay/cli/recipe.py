"""`assay recipe why|plan|explain|lint|reproduce`: explains the decisions of the recipe runner."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from assay.cli.arguments import RequestParser
from assay.cli.terminal import say, say_json
from assay.ground.errors import ConfigError

if TYPE_CHECKING:
    from assay.recipes.home.index import Index
    from assay.recipes.model.artifact import Repository

HELP = "plan, explain, why, lint and reproduce for CM/MLC recipes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="{plan,explain,why,lint,reproduce}", parser_class=RequestParser
    )
    for name, text in (
        ("plan", "the steps a request would take; nothing runs"),
        ("explain", "every variable and variation of a request with its origin"),
        ("why", "which cache entry answers a request, and why others do not"),
    ):
        one = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        one.add_argument("request", nargs="*", help="tags, and flags as for run script: --tags=… --env.KEY=…")
        _common(one)
    text = "check every recipe of a repository; exit 1 when one is broken"
    lint = actions.add_parser("lint", help=text, description=text)
    lint.add_argument("repository", help="its name, alias, uid or folder")
    lint.add_argument("--errors", action="store_true", help="leave the warnings out")
    _common(lint)
    text = "run a lock file again and report every difference"
    reproduce = actions.add_parser("reproduce", help=text, description=text)
    reproduce.add_argument("file", help="lock file that --lock=FILE wrote")
    _common(reproduce)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mlc", action="store_true", help="use MLC's home and command line")


def run(args: argparse.Namespace) -> int:
    from assay.cli.cm import UserConsole, own_recipes
    from assay.recipes.errors import RecipeNotFound
    from assay.recipes.home.location import home_from
    from assay.recipes.run.context import Context

    home = home_from(os.environ, "mlc" if args.mlc else "cm")
    context = Context(home, UserConsole(), os.environ, own_recipes())
    action = {"plan": _plan, "explain": _explain, "why": _why, "lint": _lint, "reproduce": _reproduce}
    try:
        return action[args.action](context, args)
    except RecipeNotFound as error:
        if args.action == "reproduce":  # it ran, and a recipe of the lock file was not there
            raise
        raise ConfigError(error.message, error.hint) from error


def _inputs(words: list[str]) -> dict[str, Any]:
    """The inputs of `run script` for a request such as `get,gcc --env.A=1`. A bare word is a list of tags."""
    from assay.recipes.contract.argv import parse

    inputs = parse(["run", "script", *words])
    if "artifact" in inputs and "tags" not in inputs:
        inputs["tags"] = inputs.pop("artifact").replace(" ", ",")
    if not inputs.get("tags"):
        raise ConfigError(
            "no recipe was asked for", "name its tags: assay recipe plan get,gcc --env.KEY=VALUE"
        )
    return inputs


def _plan(context: Any, args: argparse.Namespace) -> int:
    from assay.recipes.tools.explain import own_recipe
    from assay.recipes.tools.plan import as_text, plan

    inputs = _inputs(args.request)
    steps = plan(context.index, inputs, os.environ, own_recipe(context, inputs))
    _print(args, as_text(steps), {"steps": [step.as_json() for step in steps]})
    return 0


def _explain(context: Any, args: argparse.Namespace) -> int:
    from assay.recipes.tools.explain import explanation, explanation_text

    inputs = _inputs(args.request)
    found = explanation(context, inputs)
    text = explanation_text(found)
    if benchmark := _benchmark(context, inputs):
        text, found = f"{text}\n\n{benchmark}", {**found, "benchmark": benchmark.splitlines()}
    _print(args, text, found)
    return 0


def _benchmark(context: Any, inputs: dict[str, Any]) -> str:
    """What would be measured, or why not; empty of a recipe that is not the benchmark's own."""
    from assay.cli.bench import asked
    from assay.doors import builtin
    from assay.recipes.tools.explain import own_recipe

    own = own_recipe(context, inputs)
    try:
        request = builtin.benchmark(own, inputs) if own else None
    except ConfigError as error:
        return f"nothing would be measured: {error.message}"
    return asked(request, is_whole=True) if request else ""


def _why(context: Any, args: argparse.Namespace) -> int:
    from assay.recipes.tools.explain import why, why_text

    answer = why(context, _inputs(args.request))
    _print(args, why_text(answer), answer)
    return 0


def _lint(context: Any, args: argparse.Namespace) -> int:
    from pathlib import Path

    from assay.recipes.errors import RecipeFault

    folder = Path(args.repository)
    if not folder.is_dir():
        try:
            repository = context.home.one(args.repository)
        except RecipeFault as error:
            raise ConfigError(error.message, error.hint) from error
        return _lint_repository(context.index, repository, args)
    from assay.recipes.tools.lint_folder import index_of_folder

    with index_of_folder(folder.absolute()) as (index, repository):
        return _lint_repository(index, repository, args)


def _lint_repository(index: Index, repository: Repository, args: argparse.Namespace) -> int:
    from assay.ground.count import counted
    from assay.recipes.tools.lint import ERROR, lint

    problems = [p for p in lint(index, repository) if p.severity == ERROR or not args.errors]
    errors = sum(problem.severity == ERROR for problem in problems)
    count = sum(artifact.repository.path == repository.path for artifact in index.artifacts("script"))
    said = ", ".join(
        (counted(count, "recipe"), counted(errors, "error"), counted(len(problems) - errors, "warning"))
    )
    text = "\n".join([*map(str, problems), said])
    _print(args, text, {"recipes": count, "problems": [problem._asdict() for problem in problems]})
    return 1 if errors else 0


def _reproduce(context: Any, args: argparse.Namespace) -> int:
    from pathlib import Path

    from assay.recipes.actions.dispatch import access_for
    from assay.recipes.tools.lock import reproduce

    differences = reproduce(context, Path(args.file), access_for(context))
    text = "\n".join(differences) if differences else "the run is the same"
    _print(args, text, {"differences": differences})
    return 1 if differences else 0


def _print(args: argparse.Namespace, text: str, value: dict[str, Any]) -> None:
    if args.json:
        import json

        say_json(json.dumps(value, default=str))
    else:
        say(text)
