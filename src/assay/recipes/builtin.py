"""Recipes of our own: registered by whoever has them, answering top-level requests only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from assay.recipes.contract.dialect import MLC
from assay.recipes.index import Artifact, Index, TagQuery
from assay.recipes.light import Any, NamedTuple
from assay.recipes.recipe import Recipe
from assay.recipes.repositories import Repository
from assay.recipes.resolve import ResolvedRecipe
from assay.recipes.selection import Selection

Action = Callable[[ResolvedRecipe, Mapping[str, Any]], dict[str, Any]]


class Builtin(NamedTuple):
    """A folder with a `meta.yaml`, and the function that acts for it.

    `act(resolved, inputs)` gives CM's result dictionary. It answers a top-level request that names its full set
    of tags, never a dependency. A `fallback` answers only where no pulled repository has these tags.
    """

    folder: Path
    alias: str
    tags: frozenset[str]
    act: Action
    fallback: bool = False


def find_builtin(builtins: list[Builtin], index: Index, selection: Selection) -> Builtin | None:
    """The builtin that owns a request, if any."""
    query = TagQuery.parse(selection.tags)
    for builtin in builtins:
        if not query.matches(builtin.tags) or not builtin.tags <= query.wanted:
            continue
        if builtin.fallback and index.find("script", "", selection.tags):
            continue
        return builtin
    return None


def load_builtin(builtin: Builtin, index: Index) -> Recipe:
    """Its recipe, in the dialect of the home it is asked through: keys are written with that prefix."""
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
