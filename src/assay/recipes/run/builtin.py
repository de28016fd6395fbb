"""Built-in recipes of this package. Their owners register them. They serve top-level requests only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from assay.recipes.contract.mlc import MLC
from assay.recipes.contract.names import ArtifactName
from assay.recipes.errors import GENERAL, RecipeFault
from assay.recipes.home.candidates import matching_artifacts, unknown_variation, unknown_variations
from assay.recipes.home.index import Index
from assay.recipes.home.load import load_recipe
from assay.recipes.model.artifact import Artifact, Repository, TagQuery
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.resolved import ResolvedRecipe
from assay.recipes.model.selection import Selection
from assay.recipes.run.request import name_and_tags
from assay.recipes.values import Given, Values

Action = Callable[[ResolvedRecipe, Given, bool], Values]
Declines = Callable[[Recipe, Given], str]


class Builtin(NamedTuple):
    """A built-in recipe: a folder with a `meta.yaml`, and the function that runs it.

    `act(resolved, inputs, fake)` returns CM's result dictionary; a fake run does nothing else. It serves a top-level
    request that names its full set of tags, never a dependency. `declines(recipe, inputs)` returns what it cannot do
    of a request; empty = it can do all. A `fallback` serves only where no pulled repository has these tags.
    """

    folder: Path
    alias: str
    tags: tuple[str, ...]
    act: Action
    fallback: bool = False
    declines: Declines = lambda _recipe, _inputs: ""


class Owned(NamedTuple):
    """A request that a built-in recipe serves."""

    builtin: Builtin
    recipe: Recipe
    selection: Selection


def owned(
    builtins: list[Builtin],
    index: Index,
    inputs: Given,
    note: Callable[[str], None] = lambda _text: None,
) -> Owned | None:
    """The built-in recipe for a request; None when a recipe of a repository is requested or must serve it.

    When the built-in recipe cannot do the request, a pulled repository serves it if its recipe knows all variations.
    `note` then gets the reason. Raises: RecipeNotFound (16) for a variation that no recipe knows, and as
    `matching_artifacts` for tags that none has. RecipeFault (1) for what the built-in recipe declines when there is
    no other, or when `--recipes` names no repository.
    """
    if inputs.get("recipes"):
        _require_repository(index, str(inputs["recipes"]))
        return None
    inputs = dict(inputs)
    name = name_and_tags(inputs, index.home.dialect)
    selection = Selection.parse(inputs.get("tags"))
    builtin = None if name else find_builtin(builtins, index, selection)
    if builtin is None:
        matching_artifacts(index, selection, name, builtins)  # raises where nobody has what is asked for
        return None
    recipe = load_builtin(builtin, index)
    unknown = unknown_variations(recipe, selection)
    reason = (
        f"Assay's own recipe has no variation _{', no _'.join(unknown)}"
        if unknown
        else builtin.declines(recipe, inputs)
    )
    if not reason:
        return Owned(builtin, recipe, selection)
    others = [load_recipe(index, artifact) for artifact in index.find("script", "", selection.tags)]
    fitting = [other for other in others if not unknown_variations(other, selection)]
    if fitting:
        note(f"assay: {reason}; a recipe of {fitting[0].repository.path.name} answers in its place")
        return None
    pull = f"pull repo {index.home.dialect.default_repository}"
    if unknown:
        elsewhere = "" if others else f"more variations come with a repository: {pull}"
        raise unknown_variation([recipe, *others], selection, elsewhere)
    raise RecipeFault(reason, GENERAL, f"leave it out, or {pull}: its recipe answers then")


def find_builtin(builtins: list[Builtin], index: Index, selection: Selection) -> Builtin | None:
    """The builtin that owns these tags, if any."""
    query = TagQuery.parse(selection.tags)
    for builtin in builtins:
        if not query.matches(builtin.tags) or not query.wanted.issuperset(builtin.tags):
            continue
        if builtin.fallback and index.find("script", "", selection.tags):
            continue
        return builtin
    return None


def load_builtin(builtin: Builtin, index: Index) -> Recipe:
    """The recipe of a builtin, in the dialect of the home. Its keys are written with that dialect's prefix."""
    meta = index.home.descriptions.load(builtin.folder, MLC.description_files)
    artifact = Artifact(
        str(builtin.folder),
        "script",
        Repository(builtin.folder.parent, "assay", "", {}),
        str(meta.get("alias") or builtin.alias),
        str(meta.get("uid") or ""),
        tuple(meta.get("tags") or ()),
    )
    return Recipe(artifact, meta, index.home.dialect)


def _require_repository(index: Index, name: str) -> None:
    if not any(repository.answers_to(ArtifactName.parse(name)) for repository in index.home.repositories()):
        raise RecipeFault(
            f"--recipes={name} names no registered repository",
            GENERAL,
            f"pull repo {name}, or leave it out",
        )
