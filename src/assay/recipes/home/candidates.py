"""The recipes of a home that match a selection. When there is none, it says what is nearest."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Protocol

from assay.ground.errors import did_you_mean
from assay.recipes.errors import GENERAL, RecipeFault, RecipeNotFound
from assay.recipes.home.index import Index
from assay.recipes.home.load import load_recipe
from assay.recipes.model.artifact import Artifact, TagQuery
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.selection import Selection
from assay.recipes.model.variations import dynamic_name, knows


class Tagged(Protocol):
    """A recipe as far as a search knows it: one of a repository, or one of our own."""

    @property
    def alias(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...


def matching_artifacts(
    index: Index, selection: Selection, name: str = "", own: Sequence[Tagged] = ()
) -> list[Artifact]:
    """Artifacts with these tags and this name. Variations are not looked at.

    own: recipes of no repository, which may have been meant too.
    Raises: RecipeNotFound with the nearest tags when there is none: (4) where a recipe cannot be read, else (1).
    """
    found = index.find("script", name, selection.tags)
    if not found:
        hint = nearest_tags(index, selection, name, own)
        index.refuse_unreadable("script", [name, *selection.tags], hint)
        raise RecipeNotFound(
            "no scripts were found with above tags (when variations ignored)"
            + (f": {name or ','.join(selection.tags)}" if name or selection.tags else ""),
            GENERAL,
            hint,
        )
    return found


def candidates(index: Index, selection: Selection, name: str = "") -> list[Recipe]:
    """Recipes that have the tags and know every variation, sorted by their `sort` value and path.

    Raises: RecipeNotFound as `matching_artifacts` when no recipe has the tags, (16) when none knows the variations.
    """
    found = matching_artifacts(index, selection, name)
    recipes = [load_recipe(index, artifact) for artifact in found]
    fitting = [recipe for recipe in recipes if not unknown_variations(recipe, selection)]
    if not fitting:
        raise unknown_variation(recipes, selection)
    ambiguous = name and not selection.tags and not set("*?") & set(name)
    if len(fitting) > 1 and ambiguous:
        places = "\n".join(f"  {recipe.folder}" for recipe in fitting)
        raise RecipeFault(
            f"more than one recipe of the name {name}:\n{places}", GENERAL, "name it by its uid"
        )
    return sorted(fitting, key=lambda recipe: (recipe.meta.get("sort") or 0, str(recipe.folder)))


def unknown_variations(recipe: Recipe, selection: Selection) -> list[str]:
    """The requested and excluded variations that a recipe does not know."""
    wanted = [variation.removeprefix("-") for variation in selection.variations]
    with recipe.errors_attributed():
        return [variation for variation in wanted if not knows(recipe.variations, variation)]


def unknown_variation(recipes: list[Recipe], selection: Selection, elsewhere: str = "") -> RecipeNotFound:
    """An error that names the unknown variation, the nearest known one and other places to look (`elsewhere`)."""
    best = min(recipes, key=lambda recipe: len(unknown_variations(recipe, selection)))
    unknown = unknown_variations(best, selection)
    with best.errors_attributed():
        hints = [_near_variation(v, best) for v in unknown]
    return RecipeNotFound(
        f"no scripts were found with above tags and variations: {best.alias} has no _{', no _'.join(unknown)}",
        hint="; ".join(hint for hint in (*hints, elsewhere) if hint) or "it has no variations",
    )


def _near_variation(word: str, recipe: Recipe) -> str:
    """A hint: all names that differ from the word only in their numbers, else the nearest one.

    Of the names that differ in numbers, those that set nothing are left out if others do.
    """
    known = {name: block for name, block in recipe.variations.items() if "," not in name}
    if any(character.isdigit() for character in word):
        alike = [name for name in known if _without_numbers(name) == _without_numbers(word)]
        if telling := [f"_{name}" for name in alike if known[name]] or [f"_{name}" for name in alike]:
            return f"one of: {', '.join(telling)}"
    return did_you_mean(dynamic_name(word) or word, known, "_")


def _without_numbers(name: str) -> str:
    """`r4.1` -> `r#.#`."""
    return re.sub(r"\d+", "#", name)


def nearest_tags(index: Index, selection: Selection, name: str = "", own: Sequence[Tagged] = ()) -> str:
    """A hint. For an unknown tag: the nearest known one. For known tags that no recipe has together: the best
    partial match. Recipes of our `own` are known by tags only."""
    artifacts: Sequence[Tagged] = index.artifacts("script")
    pull = (
        "" if artifacts or index.broken else "no repository with recipes is registered: pull repo OWNER@NAME"
    )
    if name and artifacts:
        return _near(name, {artifact.alias for artifact in artifacts}) or "find script lists all names"
    artifacts = [*artifacts, *own]
    if name or not artifacts:
        return pull
    known = {tag for artifact in artifacts for tag in artifact.tags}
    query = TagQuery.parse(selection.tags)
    unknown = sorted(query.wanted - known)
    hints = [f"{tag}: {_near(tag, known) or 'no recipe has such a tag'}" for tag in unknown]
    if not hints:
        best = max(artifacts, key=lambda artifact: len(query.wanted & set(artifact.tags)))
        hints = [f"nearest: {','.join(best.tags)} ({best.alias})"]
    return "; ".join(filter(None, (*hints, pull)))


def _near(word: str, known: Collection[str]) -> str:
    """`did you mean X?`, or nothing when no name is near. There are too many tags and names to list."""
    hint = did_you_mean(word, known)
    return hint if hint.startswith("did you mean") else ""
