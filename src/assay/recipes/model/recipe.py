"""A recipe in its repository: a folder, a description, hooks and native scripts."""

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
    """One recipe. `meta` is a copy that a run may change."""

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
        self._read_again = read_again  # reads the description again, because a run changes `meta`

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
        """The text by which a cache entry names the recipe that made it."""
        return f"{self.alias}{self.dialect.owner_separator}{self.uid}"

    def caches(self, *, force: bool = False) -> bool:
        """Whether the recipe caches its results. With `force`: also whether caching can be forced."""
        return self.meta.get("cache") is True or bool(force and self.meta.get("can_force_cache"))

    @contextmanager
    def errors_attributed(self) -> Iterator[None]:
        """Names this recipe in errors raised inside the block, unless a dependency is named already.

        A TypeError or similar is attributed to the description if that is malformed. Raises: RecipeFault (4) that
        names the malformed part; any other error is passed on.
        """
        try:
            yield
        except RecipeFailed as failure:
            failure.recipe = failure.recipe or str(self)
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            from assay.recipes.contract.shape import misshapen

            # A run empties parts of `meta` after it has passed them on.
            meta = self._read_again() if self._read_again else self.meta
            if found := next(misshapen(meta), ""):
                raise RecipeFault(f"{self.folder}: {found}", UNKNOWN_ACTION) from problem
            raise

    def __str__(self) -> str:
        return f"{self.alias},{self.uid}"
