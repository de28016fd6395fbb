"""A recipe as it stands in its repository: a folder, a description, hooks and native scripts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.recipes.contract.dialect import Dialect
from assay.recipes.errors import UNKNOWN_ACTION, RecipeFailed, RecipeFault
from assay.recipes.index import Artifact, Index
from assay.recipes.light import Any
from assay.recipes.merge import merge
from assay.recipes.names import split_repository
from assay.recipes.repositories import Repository

INHERITANCE_DEPTH_MAX = 10
PHASES = ("deps", "prehook_deps", "posthook_deps", "post_deps")


class Recipe:
    """One recipe. `meta` is its own fresh copy, so that a run may work on it."""

    def __init__(
        self, artifact: Artifact, meta: dict[str, Any], dialect: Dialect, index: Index | None = None
    ) -> None:
        self.artifact = artifact
        self.meta = meta
        self.dialect = dialect
        self._index = index  # where it can be read again

    @property
    def folder(self) -> Path:
        return self.artifact.path

    @property
    def repository(self) -> Repository:
        return self.artifact.repository

    @property
    def alias(self) -> str:
        return str(self.meta.get("alias") or "")

    @property
    def uid(self) -> str:
        return str(self.meta.get("uid") or "")

    @property
    def tags(self) -> list[str]:
        return [str(tag) for tag in self.meta.get("tags") or []]

    @property
    def variations(self) -> dict[str, Any]:
        return self.meta.get("variations") or {}

    @property
    def owner(self) -> str:
        """How a cache entry names the recipe that made it."""
        return f"{self.alias}{self.dialect.owner_separator}{self.uid}"

    def caches(self, *, force: bool = False) -> bool:
        """Does it keep its results, or can it be made to?"""
        return self.meta.get("cache") is True or bool(force and self.meta.get("can_force_cache"))

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """A step that fails inside the block is this recipe's, unless it is one's below.

        Another error is that of a description that has not the right form, if it has not.
        Raises: RecipeFault (4) that names the part; what a description in good form has not caused passes through.
        """
        try:
            yield
        except RecipeFailed as failure:
            failure.recipe = failure.recipe or str(self)
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            from assay.recipes.contract.shape import misshapen

            # A run empties parts of `meta` that it has handed on.
            meta = _inherited(self._index, self.artifact, 0) if self._index else self.meta
            if found := next(misshapen(meta), ""):
                raise RecipeFault(f"{self.folder}: {found}", UNKNOWN_ACTION) from problem
            raise

    def __str__(self) -> str:
        return f"{self.alias},{self.uid}"


def load_recipe(index: Index, artifact: Artifact) -> Recipe:
    """Read a recipe with everything it inherits through `_base`."""
    return Recipe(artifact, _inherited(index, artifact, 0), index.home.dialect, index)


def _inherited(index: Index, artifact: Artifact, depth: int) -> dict[str, Any]:
    names = index.home.dialect.description_files
    meta = index.home.descriptions.load(artifact.path, names, json_too=True)
    base = meta.pop("_base", None)
    if not base:
        return meta
    if depth >= INHERITANCE_DEPTH_MAX:
        raise RecipeFault(
            f"{artifact.path} inherits through more than {INHERITANCE_DEPTH_MAX} descriptions", 8
        )
    automation, _, name = str(base).partition("::")
    found = index.find(split_repository(automation)[1].alias or "script", name)
    if len(found) != 1:
        raise RecipeFault(f"{artifact.path} inherits from {base}, of which there are {len(found)}", 1)
    inherited = _inherited(index, found[0], depth + 1)
    inherited.pop("alias", None)
    inherited.pop("uid", None)
    return merge(inherited, meta)
