"""A request, resolved without running anything: recipe, variations, variables, cache (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.flags import Flags, begin_env, check_nested
from assay.recipes.contract.merge import copied, merge
from assay.recipes.home.index import Index
from assay.recipes.model.dependencies import additions
from assay.recipes.model.env import Env
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.resolve import resolve
from assay.recipes.model.resolved import ResolvedRecipe, Scope
from assay.recipes.model.selection import Selection
from assay.recipes.run.call import APART, RecipeCall
from assay.recipes.run.choosing import Chooser
from assay.recipes.run.console import Quiet
from assay.recipes.values import Given, Values

if TYPE_CHECKING:
    from assay.recipes.home.cache_key import CacheKey
    from assay.recipes.home.store import Lookup, Store


def _say_nothing(_text: str) -> None:
    pass


class RecipeRequest(NamedTuple):
    """A resolved request."""

    inputs: Values
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
        """The variations that hooks and records show."""
        learns = self.resolved.dialect.hooks_learn_applied_variations
        return list(self.resolved.choice.applied if learns else self.selection.variations)

    def tags(self) -> list[str]:
        """The tags that a cache entry must have to be used."""
        from assay.recipes.home.cache_rule import lookup_tags

        return lookup_tags(self.resolved, self.selection, self.inputs, self.flags)

    def cache_expiration(self) -> str:
        """How long an entry may be used, as a text: by the recipe and its variations, else by the request (as in
        mlcflow). Empty = without limit."""
        return str(self.resolved.cache_expiration or self.inputs.get("cache_expiration") or "")

    def key(self) -> CacheKey:
        from assay.recipes.home.cache_rule import cache_key

        return cache_key(self.resolved, self.inputs)

    def look_up(self, store: Store, *, exact: bool = False) -> Lookup:
        return store.look_up(self.tags(), self.resolved.versions, self.key() if exact else None)


def scope_of(inputs: Given) -> Scope:
    """The scope of a top-level request. Raises: RecipeFault (1) for a plain value where a dictionary is needed."""
    check_nested(inputs)
    return Scope(
        Env(copied(inputs.get("env") or {}), "command line"),
        copied(inputs.get("state") or {}),
        copied(inputs.get("const") or {}),
        copied(inputs.get("const_state") or {}),
        additions(inputs, "adr", "add_deps_recursive"),
    )


class Answering(NamedTuple):
    """The settings by which all requests of one run or plan are resolved."""

    chooser: Chooser
    host_env: Mapping[str, str]
    strict: bool = False  # CM's reading of flags
    quiet: bool = False  # takes the first of several recipes, even without --quiet
    verbose: bool = False  # a dependency logs like the recipe above it
    info: Callable[[str], None] = _say_nothing
    debug: Callable[[str], None] = _say_nothing

    def request(self, call: RecipeCall, recipe: Recipe | None = None) -> RecipeRequest:
        """Chooses a recipe, if none is given, and resolves it. After this nothing is left to decide.

        Raises: RecipeNotFound, RecipeFault.
        """
        add_local(call)
        inputs, env, dialect = call.inputs, call.scope.env, self.chooser.index.home.dialect
        flags = Flags.read(inputs, env, dialect.prefix, strict=self.strict)
        if self.quiet:
            flags = flags._replace(quiet=True)
        seen = flags._replace(verbose=flags.verbose or self.verbose)
        with env.written_by("runner"):
            begin_env(env, inputs, seen, self.host_env, str(Path.cwd()), dialect)
        selection = Selection.parse(inputs.get("tags"))
        name = str(inputs.get("artifact") or "") if call.depth else name_and_tags(dict(inputs), dialect)
        self.info(f"{call.indent}* {dialect.name} run script {_title(name, selection)}")
        if recipe is None:
            recipe = self.chooser.recipe(selection, name, flags)
        with env.written_by("runner"):
            env[dialect.key("TMP_CURRENT_SCRIPT_REPO_PATH")] = str(recipe.repository.path)
            env[dialect.key("TMP_CURRENT_SCRIPT_REPO_PATH_WITH_PREFIX")] = str(recipe.repository.root)
        with recipe.errors_attributed():
            resolved = resolve(recipe, selection.variations, inputs, call.scope)
        if resolved.choice.applied:
            self.debug(f"{call.indent}    Prepared variations: {resolved.variation_tags}")
        return RecipeRequest(inputs, selection, flags, resolved)


def add_local(call: RecipeCall) -> None:
    """Adds env, state and constants of the dependency entry itself. They override those passed down."""
    with call.scope.env.written_by("dependency entry"):
        for name in APART:
            merge(getattr(call.scope, name), call.inputs.get(f"local_{name}") or {})


def answer_request(
    index: Index,
    inputs: Values,
    scope: Scope,
    host_env: Mapping[str, str],
    recipe: Recipe | None = None,
) -> RecipeRequest:
    """Chooses a recipe, if none is given, and resolves it. Takes the first of several recipes.

    Raises: RecipeNotFound, RecipeFault, as a run would.
    """
    inputs = dict(inputs)
    name_and_tags(inputs, index.home.dialect)
    return Answering(Chooser(index, Quiet()), host_env, quiet=True).request(RecipeCall(inputs, scope), recipe)


def _title(name: str, selection: Selection) -> str:
    if not name:
        return f'"{selection}"'
    return name + (f' --tags="{selection.words}"' if selection.words else "")


def name_and_tags(inputs: Values, dialect: Dialect) -> str:
    """Moves words with blanks or commas into the tags, as in `run script "detect os"`. Returns the name that is
    left."""
    words = [str(inputs.get("artifact") or ""), *map(str, inputs.get("artifacts") or [])]
    tags = [inputs["tags"]] if inputs.get("tags") else []
    if dialect.is_tags(words[0]):
        tags = [words[0].replace(" ", ",")]
        words[0] = ""
    tags += [word.replace(" ", ",") for word in words[1:] if " " in word or "," in word]
    if tags:
        inputs["tags"] = ",".join(
            ",".join(map(str, tag)) if isinstance(tag, list) else str(tag) for tag in tags
        )
    return str(words[0])
