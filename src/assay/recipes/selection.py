"""What was asked for, as tags; and the recipes that can answer it."""

from __future__ import annotations

import re
from collections.abc import Collection

from assay.ground.errors import did_you_mean
from assay.recipes.errors import GENERAL, RecipeFault, RecipeNotFound
from assay.recipes.index import Artifact, Index, TagQuery
from assay.recipes.light import Any, NamedTuple
from assay.recipes.recipe import Recipe, load_recipe
from assay.recipes.variations import dynamic_name, knows


class Selection(NamedTuple):
    """Tags and variations as asked, nothing filled in. Excluded ones keep their leading hyphen."""

    tags: tuple[str, ...]
    variations: tuple[str, ...]

    @classmethod
    def parse(cls, tags: Any) -> Selection:
        """`get,python3,_venv,-_old` -> tags get, python3 and variations venv, -old.

        Raises: RecipeFault (1) when something is both asked for and excluded.
        """
        words = tags if isinstance(tags, list) else str(tags or "").split(",")
        plain: list[str] = []
        variations: list[str] = []
        for word in (str(word).strip() for word in words):
            if word.startswith(("_", "-_")):
                variations.append(word[1:] if word[0] == "_" else "-" + word[2:])
            elif word:
                plain.append(word)
        for kind, listed in (("tags", plain), ("variations", variations)):
            both = [word for word in listed if f"-{word}" in listed]
            if both:
                raise RecipeFault(f"{kind} both asked for and excluded: {', '.join(both)}")
        return cls(tuple(plain), tuple(dict.fromkeys(variations)))

    @property
    def asked_tags(self) -> list[str]:
        """Tags and variations in the spelling of a cache entry: `a`, `_v`, `-_w`."""
        return [*self.tags, *(cache_tag(name) for name in self.variations)]

    def __str__(self) -> str:
        """As CM's log writes it: `a b _v`."""
        return " ".join([*self.tags, *(f"_{name}" for name in self.variations)])


def cache_tag(variation: str) -> str:
    """`v` -> `_v`, `-v` -> `-_v`."""
    return f"-_{variation[1:]}" if variation.startswith("-") else f"_{variation}"


def matching_artifacts(index: Index, selection: Selection, name: str = "") -> list[Artifact]:
    """Artifacts with these tags and this name, whatever their variations.

    Raises: RecipeNotFound (1) with the tags that are nearest when there is none.
    """
    found = index.find("script", name, selection.tags)
    if not found:
        raise RecipeNotFound(
            "no scripts were found with above tags (when variations ignored)"
            + (f": {name or ','.join(selection.tags)}" if name or selection.tags else ""),
            GENERAL,
            nearest_tags(index, selection, name),
        )
    return found


def candidates(index: Index, selection: Selection, name: str = "") -> list[Recipe]:
    """Recipes that have the tags and know every variation, by their `sort` value and path.

    Raises: RecipeNotFound (1) when nothing has the tags, (16) when nothing knows the variations.
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
    """The variations, asked for or excluded, that a recipe does not know."""
    wanted = [variation.removeprefix("-") for variation in selection.variations]
    with recipe.blamed():
        return [variation for variation in wanted if not knows(recipe.variations, variation)]


def unknown_variation(recipes: list[Recipe], selection: Selection, elsewhere: str = "") -> RecipeNotFound:
    """Says which variation is unknown, what the nearest one is, and where there are others."""
    best = min(recipes, key=lambda recipe: len(unknown_variations(recipe, selection)))
    unknown = unknown_variations(best, selection)
    with best.blamed():
        hints = [_near_variation(v, best) for v in unknown]
    return RecipeNotFound(
        f"no scripts were found with above tags and variations: {best.alias} has no _{', no _'.join(unknown)}",
        hint="; ".join(hint for hint in (*hints, elsewhere) if hint) or "it has no variations",
    )


def _near_variation(word: str, recipe: Recipe) -> str:
    """A hint: all names that differ from the word in their numbers alone, else the nearest one.

    Of the former those that set nothing are left out, where others do.
    """
    known = {name: block for name, block in recipe.variations.items() if "," not in name}
    if any(character.isdigit() for character in word):
        alike = [name for name in known if _without_numbers(name) == _without_numbers(word)]
        if telling := [f"_{name}" for name in alike if known[name]] or [f"_{name}" for name in alike]:
            return f"one of: {', '.join(telling)}"
    return did_you_mean(dynamic_name(word) or word, known)


def _without_numbers(name: str) -> str:
    """`r4.1` -> `r#.#`."""
    return re.sub(r"\d+", "#", name)


def nearest_tags(index: Index, selection: Selection, name: str = "") -> str:
    """A hint: for an unknown tag the nearest known one, for known tags that never meet the best partial match."""
    artifacts = index.artifacts("script")
    if not artifacts:
        return "no repository with recipes is registered: pull repo OWNER@NAME"
    if index.broken:
        return "; ".join(f"left out: {broken.fault.message}" for broken in index.broken)
    if name:
        return _near(name, {artifact.alias for artifact in artifacts}) or "find script lists all names"
    known = {tag for artifact in artifacts for tag in artifact.tags}
    query = TagQuery.parse(selection.tags)
    unknown = sorted(query.wanted - known)
    if unknown:
        return "; ".join(f"{tag}: {_near(tag, known) or 'no recipe has such a tag'}" for tag in unknown)
    best = max(artifacts, key=lambda artifact: len(query.wanted & set(artifact.tags)))
    return f"nearest: {','.join(best.tags)} ({best.alias})"


def _near(word: str, known: Collection[str]) -> str:
    """`did you mean X?`, or nothing where none is near: there are hundreds of tags and names."""
    hint = did_you_mean(word, known)
    return hint if hint.startswith("did you mean") else ""
