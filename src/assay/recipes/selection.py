"""What was asked for, as tags; and the recipes that can answer it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

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
    wanted = [variation.removeprefix("-") for variation in selection.variations]
    fitting = [recipe for recipe in recipes if all(knows(recipe.variations, v) for v in wanted)]
    if not fitting:
        raise unknown_variation(recipes, wanted)
    ambiguous = name and not selection.tags and not set("*?") & set(name)
    if len(fitting) > 1 and ambiguous:
        places = "\n".join(f"  {recipe.folder}" for recipe in fitting)
        raise RecipeFault(
            f"more than one recipe of the name {name}:\n{places}", GENERAL, "name it by its uid"
        )
    return sorted(fitting, key=lambda recipe: (recipe.meta.get("sort") or 0, str(recipe.folder)))


def unknown_variation(recipes: list[Recipe], wanted: Iterable[str]) -> RecipeNotFound:
    """Says which variation is unknown, and what the nearest one is."""
    wanted = list(wanted)
    best = min(recipes, key=lambda recipe: sum(not knows(recipe.variations, v) for v in wanted))
    unknown = [v for v in wanted if not knows(best.variations, v)] or wanted
    hints = [
        did_you_mean(dynamic_name(v) or v, [name for name in best.variations if "," not in name])
        for v in unknown
    ]
    return RecipeNotFound(
        f"no scripts were found with above tags and variations: {best.alias} has no _{', no _'.join(unknown)}",
        hint="; ".join(hint for hint in hints if hint) or "it has no variations",
    )


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
