"""Checks the recipes of a repository without running them: unknown keys, hooks that do not parse, names that do not
exist."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from assay.recipes.contract.keys import DEPENDENCY_KEYS, RECIPE_KEYS, VARIATION_KEYS, VERSION_KEYS
from assay.recipes.contract.shape import misshapen
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Broken, Index
from assay.recipes.home.load import load_recipe
from assay.recipes.model.artifact import Repository
from assay.recipes.model.recipe import PHASES, Recipe
from assay.recipes.model.variations import find_groups, static_name
from assay.recipes.values import Given, Values

ERROR, WARNING = "error", "warning"


class Problem(NamedTuple):
    """One finding. An `error` makes the recipe, or the part it is in, fail when used."""

    severity: str
    code: str
    recipe: str
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f"; {self.fix}" if self.fix else ""
        where = f" {self.path}" if self.path else ""
        return f"{self.severity} {self.code}{where}: {self.message}{fix}"


Rule = Callable[[Recipe], Iterator[Problem]]


def lint(index: Index, repository: Repository) -> list[Problem]:
    """All problems of a repository's recipes, by recipe and rule."""
    problems = []
    for artifact in index.artifacts("script"):
        if artifact.repository.path != repository.path:
            continue
        try:
            recipe = load_recipe(index, artifact)
        except RecipeFault as fault:
            problems.append(Problem(ERROR, "LOAD", artifact.alias, str(artifact.path), fault.message))
            continue
        # The other rules need values of the right form, so they run only when the form is right.
        problems += list(forms_are_right(recipe)) or [found for rule in RULES for found in rule(recipe)]
    mine = [broken for broken in index.broken if broken.repository.path == repository.path]
    return problems + [unreadable(broken) for broken in mine]


def unreadable(broken: Broken) -> Problem:
    """PARSE: the description of an artifact can be read."""
    return Problem(ERROR, "PARSE", "", "", broken.fault.message)


def _problem(recipe: Recipe, severity: str, code: str, message: str, fix: str = "") -> Problem:
    return Problem(severity, code, recipe.alias, str(recipe.folder), message, fix)


def forms_are_right(recipe: Recipe) -> Iterator[Problem]:
    """FORM: values that are read as lists or dictionaries have that type."""
    for message in misshapen(recipe.meta):
        yield _problem(recipe, ERROR, "FORM", message)


def hooks_parse(recipe: Recipe) -> Iterator[Problem]:
    """HOOK: customize.py parses as Python."""
    path = recipe.folder / "customize.py"
    if not path.is_file():
        return
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        yield _problem(recipe, ERROR, "HOOK", f"customize.py does not parse: {error.args[0]}{line}")


def keys_are_known(recipe: Recipe) -> Iterator[Problem]:
    """KEY: the runner knows every key of the description."""
    yield from _unknown(recipe, recipe.meta, RECIPE_KEYS, "the recipe")
    # In mlcflow 1.3.8 a variation may decide whether the result is cached; CM ignores that key.
    of_a_variation = VARIATION_KEYS | recipe.dialect.more_variation_keys
    for name, block in recipe.variations.items():
        if isinstance(block, dict):
            yield from _unknown(recipe, block, of_a_variation, f"variation _{name}")
    for version, block in (recipe.meta.get("versions") or {}).items():
        if isinstance(block, dict):
            yield from _unknown(recipe, block, VERSION_KEYS, f"version {version}")


def dependency_keys_are_known(recipe: Recipe) -> Iterator[Problem]:
    """DEPKEY: no key of a dependency looks like a misspelt known key."""
    for where, entry in entries_of(recipe):
        for key in entry:
            near = _misspelt(key, DEPENDENCY_KEYS)
            if key not in DEPENDENCY_KEYS and near:
                yield _problem(
                    recipe, WARNING, "DEPKEY", f"{where}: {key!r} has no effect", f"did you mean {near}?"
                )


def _misspelt(key: str, known: frozenset[str]) -> str:
    """The known key that was probably meant; empty when none is similar."""
    plain = key.strip().strip('"').replace("-", "_")
    if plain in known and plain != key:
        return plain
    near = get_close_matches(plain, sorted(known), n=1, cutoff=0.88)
    return near[0] if near else ""


def _unknown(recipe: Recipe, block: Given, known: frozenset[str], where: str) -> Iterator[Problem]:
    for key in block:
        if key in known:
            continue
        near = _misspelt(str(key), known)
        fix = f"did you mean {near}?" if near and near not in ("name", "desc") else ""
        if isinstance(key, str) and key.isupper() and not near:
            fix = "a variable belongs under env"
        yield _problem(recipe, WARNING, "KEY", f"{where}: {key!r} has no effect", fix)


def variations_hold_together(recipe: Recipe) -> Iterator[Problem]:
    """VARIATION: bases, aliases, defaults and combinations name variations and groups that exist."""
    variations = recipe.variations
    blocks = {name: block for name, block in variations.items() if isinstance(block, dict)}
    try:
        groups = find_groups(blocks)
    except RecipeFault as fault:
        yield _problem(recipe, ERROR, "VARIATION", fault.message)
        return
    for name, block in blocks.items():
        for base in block.get("base") or []:
            if static_name(base, variations) not in variations:
                yield _problem(recipe, ERROR, "VARIATION", f"_{name} builds on _{base}, which does not exist")
        alias = block.get("alias")
        if alias and alias not in variations:
            yield _problem(
                recipe, ERROR, "VARIATION", f"_{name} is an alias of _{alias}, which does not exist"
            )
        for group, default in (block.get("default_variations") or {}).items():
            if group not in groups:
                yield _problem(recipe, ERROR, "VARIATION", f"_{name}: there is no group {group!r}")
            elif static_name(str(default), variations) not in variations:
                yield _problem(recipe, ERROR, "VARIATION", f"_{name} brings _{default}, which does not exist")


def combinations_can_happen(recipe: Recipe) -> Iterator[Problem]:
    """DEAD: a combination can apply: its members exist, and no two are in one group."""
    variations = recipe.variations
    for name in variations:
        if "," not in name:
            continue
        members = name.split(",")
        absent = [m for m in members if static_name(m.strip(), variations) not in variations]
        if absent:
            yield _problem(
                recipe,
                WARNING,
                "DEAD",
                f"combination {name!r} never applies: _{', _'.join(absent)} does not exist",
            )
            continue
        groups = [(variations.get(m) or {}).get("group") for m in set(members)]
        named = [group for group in groups if group]
        if len(named) != len(set(named)):
            yield _problem(
                recipe, WARNING, "DEAD", f"combination {name!r} never applies: two members of one group"
            )


def scripts_exist(recipe: Recipe) -> Iterator[Problem]:
    """SCRIPT: the folder has each native script that the description names."""
    named = [("the recipe", recipe.meta.get("script_name"))]
    named += [
        (f"variation _{name}", block.get("script_name"))
        for name, block in recipe.variations.items()
        if isinstance(block, dict)
    ]
    for where, name in named:
        if (
            name
            and not list(recipe.folder.glob(f"{name}*.sh"))
            and not list(recipe.folder.glob(f"{name}*.bat"))
        ):
            yield _problem(recipe, ERROR, "SCRIPT", f"{where} names the script {name!r}, which is not there")


def lists_are_lists(recipe: Recipe) -> Iterator[Problem]:
    """LIST: tags and names are lists, without commas in a name, and each tag is a text."""
    for where, entry in entries_of(recipe):
        names = entry.get("names")
        if isinstance(names, str):
            fix = "names is a list: put it between brackets"
            yield _problem(
                recipe,
                WARNING,
                "LIST",
                f"{where}: {names!r} is a text, of which any part counts as a name",
                fix,
            )
        elif any("," in str(name) for name in names or []):
            yield _problem(recipe, WARNING, "LIST", f"{where}: {names!r} is one name with a comma in it")
    for tag in recipe.meta.get("tags") or []:
        if not isinstance(tag, str):
            message = f"the tag {tag!r} is no text ({type(tag).__name__}), at which cm ends with a TypeError"
            yield _problem(recipe, WARNING, "LIST", message, "put it between quotes")


def entries_of(recipe: Recipe) -> Iterator[tuple[str, Values]]:
    """All dependency entries, each with a text that says where it is."""
    blocks: list[tuple[str, Any]] = [("the recipe", recipe.meta)]
    blocks += [(f"variation _{name}", block) for name, block in recipe.variations.items()]
    blocks += [(f"version {name}", block) for name, block in (recipe.meta.get("versions") or {}).items()]
    for where, block in blocks:
        if not isinstance(block, dict):
            continue
        for phase in PHASES:
            for entry in block.get(phase) or []:
                if isinstance(entry, dict):
                    yield f"{where}, {phase} {entry.get('tags', '')}", entry


RULES: tuple[Rule, ...] = (
    hooks_parse,
    keys_are_known,
    dependency_keys_are_known,
    variations_hold_together,
    combinations_can_happen,
    scripts_exist,
    lists_are_lists,
)
