"""A request answered as far as it can be without running anything: recipe, variations, variables, cache (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.recipes.contract.flags import Flags, check_nested, seed_env
from assay.recipes.contract.merge import copied
from assay.recipes.home.index import Index
from assay.recipes.model.dependencies import additions
from assay.recipes.model.env import Env
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.resolve import ResolvedRecipe, Scope, resolve
from assay.recipes.model.selection import Selection
from assay.recipes.run.choosing import Chooser
from assay.recipes.run.console import Quiet
from assay.recipes.typing_stub import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from assay.recipes.home.store import CacheKey, Lookup, Store


class Request(NamedTuple):
    """What a request became."""

    inputs: dict[str, Any]
    selection: Selection
    flags: Flags
    resolved: ResolvedRecipe

    def may_cache(self) -> bool:
        flags = self.flags
        caches = self.resolved.caches
        if caches is None:
            caches = self.resolved.recipe.caches(force=flags.force_cache)
        return caches and not (flags.skip_cache or flags.fake_run)

    def told_variations(self) -> list[str]:
        """The variations that hooks and records name: CM tells those that were asked for, MLC those that apply."""
        mlc = self.resolved.recipe.dialect.name == "mlc"
        return list(self.resolved.choice.applied if mlc else self.selection.variations)

    def tags(self) -> list[str]:
        """What a cache entry must carry to answer."""
        from assay.recipes.home.cache_rule import lookup_tags

        return lookup_tags(self.resolved, self.selection, self.inputs, self.flags)

    def cache_expiration(self) -> str:
        """How long an entry may be used: as the recipe and its variations say, else as asked for (so mlcflow)."""
        return str(self.resolved.cache_expiration or self.inputs.get("cache_expiration") or "")

    def key(self) -> CacheKey:
        from assay.recipes.home.cache_rule import cache_key

        return cache_key(self.resolved, self.inputs)

    def look_up(self, store: Store, *, exact: bool = False) -> Lookup:
        return store.look_up(self.tags(), self.resolved.versions, self.key() if exact else None)


def scope_of(inputs: Mapping[str, Any]) -> Scope:
    """The scope of a top-level request. Raises: RecipeFault (1) for a plain value where values with names belong."""
    check_nested(inputs)
    return Scope(
        Env(copied(inputs.get("env") or {}), "command line"),
        copied(inputs.get("state") or {}),
        copied(inputs.get("const") or {}),
        copied(inputs.get("const_state") or {}),
        additions(inputs, "adr", "add_deps_recursive"),
    )


def answer_request(
    index: Index,
    inputs: dict[str, Any],
    scope: Scope,
    host_env: Mapping[str, str],
    chooser: Chooser | None = None,
    recipe: Recipe | None = None,
) -> Request:
    """Choose, where no recipe is given, and resolve, taking the first of several recipes.

    Raises: RecipeNotFound, RecipeFault as a run would.
    """
    prefix = index.home.dialect.prefix
    inputs = dict(inputs)
    name = name_and_tags(inputs, index.home.dialect.name)
    flags = Flags.read(inputs, scope.env, prefix, strict=False)._replace(quiet=True)
    with scope.env.written_by("runner"):
        seed_env(scope.env, inputs, flags, host_env, str(Path.cwd()), prefix)
    selection = Selection.parse(inputs.get("tags"))
    if recipe is None:
        recipe = (chooser or Chooser(index, Quiet())).recipe(selection, name, flags)
    with recipe.errors_attributed():
        return Request(inputs, selection, flags, resolve(recipe, selection.variations, inputs, scope))


def name_and_tags(inputs: dict[str, Any], dialect: str) -> str:
    """A word with blanks stands for tags: `run script "detect os"`; gives the name that is left."""
    words = [str(inputs.get("artifact") or ""), *map(str, inputs.get("artifacts") or [])]
    tags = [inputs["tags"]] if inputs.get("tags") else []
    if " " in words[0] or (dialect == "mlc" and "," in words[0]):
        tags = [words[0].replace(" ", ",")]
        words[0] = ""
    tags += [word.replace(" ", ",") for word in words[1:] if " " in word or "," in word]
    if tags:
        inputs["tags"] = ",".join(
            ",".join(map(str, tag)) if isinstance(tag, list) else str(tag) for tag in tags
        )
    return str(words[0])
