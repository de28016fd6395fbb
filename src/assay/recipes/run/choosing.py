"""Chooses one of several recipes that match a request: by an earlier choice, by the cache, or by asking the user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from assay.recipes.contract.flags import Flags
from assay.recipes.errors import RecipeFault
from assay.recipes.home.candidates import candidates
from assay.recipes.home.index import Index
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.selection import Selection
from assay.recipes.run.console import Console
from assay.recipes.values import Values

if TYPE_CHECKING:
    from assay.recipes.home.store import CacheEntry


class Remembered(NamedTuple):
    """A choice made earlier in this run. For cache entries, `tags` are those of the search."""

    kind: str  # "script" or "cache"
    tags: frozenset[str]
    uid: str


class Chooser:
    """Makes the choices of one run and remembers them."""

    def __init__(self, index: Index, console: Console) -> None:
        self.index = index
        self.console = console
        self.remembered: list[Remembered] = []
        self.shown: list[Values] = []  # the choices as hooks see them; choices of recipes only in CM

    def recipe(self, selection: Selection, name: str, flags: Flags) -> Recipe:
        """The recipe for a selection.

        Raises: RecipeNotFound when none matches, RecipeFault (1) when a choice is needed and there is no terminal to
        ask.
        """
        found = candidates(self.index, selection, name)
        if len(found) > 1 and not flags.forget_selections:
            uid = self._recall("script", selection.tags)
            found = [recipe for recipe in found if recipe.uid == uid] or found
        may_cache = any(recipe.caches(force=flags.force_cache) for recipe in found)
        may_cache = may_cache and self.index.home.dialect.cached_recipe_is_preferred
        if len(found) > 1 and may_cache and not (flags.skip_cache or flags.fake_run):
            owners = self._owners(selection)
            found = [recipe for recipe in found if recipe.uid in owners] or found
        if len(found) == 1:
            return found[0]
        labels = [f"{recipe.folder} ({','.join(recipe.tags)})" for recipe in found]
        chosen = found[self._pick("script", " ".join(selection.tags), labels, flags.quiet)]
        self.remembered.append(Remembered("script", frozenset(selection.tags), chosen.uid))
        if self.index.home.dialect.remembers_choice_of_recipe:
            self._show("script", selection.tags, chosen)
        return chosen

    def _owners(self, selection: Selection) -> set[str]:
        from assay.recipes.home.store import Store

        key = self.index.home.dialect.owner_key
        return {entry.owner_uid(key) for entry in Store(self.index).entries(["-tmp", *selection.asked_tags])}

    def entry(self, entries: list[CacheEntry], tags: list[str], flags: Flags) -> CacheEntry | None:
        """The cache entry to use; None when there is none, or when the user refuses them all."""
        if len(entries) > 1 and not flags.forget_selections:
            uid = self._recall("cache", tuple(tags))
            entries = [entry for entry in entries if entry.artifact.uid == uid] or entries
        if len(entries) <= 1:
            return entries[0] if entries else None
        labels = [
            f"{e.path} ({','.join(e.tags)})" + (f" (Version {e.version})" if e.version else "")
            for e in entries
        ]
        number = self._pick("cached script output", ",".join(tags), labels, flags.quiet, may_skip=True)
        if number < 0:
            return None
        self.remembered.append(Remembered("cache", frozenset(tags), entries[number].artifact.uid))
        if not flags.quiet:
            self._show("cache", tags, entries[number])
        return entries[number]

    def _show(self, kind: str, tags: Iterable[str], chosen: Any) -> None:
        self.shown.append({"type": kind, "tags": ",".join(tags), "cached_script": chosen})

    def _recall(self, kind: str, tags: tuple[str, ...]) -> str:
        wanted = frozenset(tags)
        return next((r.uid for r in self.remembered if r.kind == kind and r.tags == wanted), "")

    def _pick(self, kind: str, question: str, labels: list[str], quiet: bool, may_skip: bool = False) -> int:
        """The number of the user's choice; 0 when quiet, -1 for none of them."""
        if quiet:
            return 0
        self.console.note(f'    - More than 1 {kind} found for "{question}":')
        for number, label in enumerate(labels):
            self.console.note(f"      {number}) {label}")
        skip = " or use -1 to skip" if may_skip else ""
        answer = self.console.ask(f"      Make your selection or press Enter for 0{skip}: ")
        if answer is None:
            raise RecipeFault(
                f'more than one {kind} for "{question}" and nobody to choose',
                1,
                "add --quiet for the first, or more tags",
            )
        try:
            number = int(answer.strip() or "0")
        except ValueError:
            number = 0
        if number < 0:
            return -1 if may_skip else 0
        return number if number < len(labels) else 0
