"""A recipe as it stands in its repository: a folder, a description, hooks and native scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.recipes.contract.dialect import Dialect
from assay.recipes.errors import UNKNOWN_ACTION, RecipeFailed, RecipeFault
from assay.recipes.model.artifact import Artifact, Repository
from assay.recipes.values import Values

PHASES = ("deps", "prehook_deps", "posthook_deps", "post_deps")


class Recipe:
    """One recipe. `meta` is its own fresh copy, so that a run may work on it."""

    def __init__(
        self,
        artifact: Artifact,
        meta: Values,
        dialect: Dialect,
        read_again: Callable[[], Values] | None = None,
    ) -> None:
        self.artifact = artifact
        self.meta = meta
        self.dialect = dialect
        self._read_again = read_again  # its description, as a run leaves it out of form

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
    def variations(self) -> Values:
        return self.meta.get("variations") or {}

    @property
    def owner(self) -> str:
        """How a cache entry names the recipe that made it."""
        return f"{self.alias}{self.dialect.owner_separator}{self.uid}"

    def caches(self, *, force: bool = False) -> bool:
        """Does it keep its results, or can it be made to?"""
        return self.meta.get("cache") is True or bool(force and self.meta.get("can_force_cache"))

    @contextmanager
    def errors_attributed(self) -> Iterator[None]:
        """Name this recipe in errors raised inside the block, unless a dependency already did.

        A type error is taken for that of a malformed description, where the description is malformed.
        Raises: RecipeFault (4) that names the malformed part; any other error passes through.
        """
        try:
            yield
        except RecipeFailed as failure:
            failure.recipe = failure.recipe or str(self)
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            from assay.recipes.contract.shape import misshapen

            # A run empties parts of `meta` that it has handed on.
            meta = self._read_again() if self._read_again else self.meta
            if found := next(misshapen(meta), ""):
                raise RecipeFault(f"{self.folder}: {found}", UNKNOWN_ACTION) from problem
            raise

    def __str__(self) -> str:
        return f"{self.alias},{self.uid}"
