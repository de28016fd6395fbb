"""The contents of a home as plain values: repositories, their artifacts, and queries by tags."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from assay.recipes.contract.names import ArtifactName
from assay.recipes.values import Values


class Repository(NamedTuple):
    """A folder of artifacts. `alias` comes from its description; `path.name` is the name it was pulled under."""

    path: Path
    alias: str
    uid: str
    description: Values

    @property
    def root(self) -> Path:
        """The folder that contains the artifacts: the repository, or its `prefix` below it."""
        prefix = self.description.get("prefix") or ""
        return self.path / prefix if prefix else self.path

    def as_json(self) -> Values:
        """The repository for `--out=json`."""
        described = {key: self.description[key] for key in ("desc", "prefix") if self.description.get(key)}
        return {
            "path": str(self.path),
            "name": self.path.name,
            "alias": self.alias,
            "uid": self.uid,
            **described,
        }

    def answers_to(self, name: ArtifactName) -> bool:
        """Whether the name is its alias, its uid, or the name it was pulled under (which CM does not accept)."""
        return name.matches(self.alias, self.uid) or name.matches(self.path.name, self.uid)


class Artifact(NamedTuple):
    """A folder with a description: a recipe, a cache entry, or another kind that CM stores this way."""

    where: str
    automation: str
    repository: Repository
    alias: str
    uid: str
    tags: tuple[str, ...]

    @property
    def path(self) -> Path:
        return Path(self.where)

    def __str__(self) -> str:
        return ",".join(part for part in (self.alias, self.uid) if part)


class TagQuery(NamedTuple):
    """Tags that an artifact must have, and tags that it must not have (written `-tag`)."""

    wanted: frozenset[str]
    unwanted: frozenset[str]

    @classmethod
    def parse(cls, tags: str | Iterable[str]) -> TagQuery:
        words = tags.split(",") if isinstance(tags, str) else list(tags)
        words = [word.strip() for word in words if word.strip()]
        return cls(
            frozenset(word for word in words if not word.startswith("-")),
            frozenset(word[1:] for word in words if word.startswith("-")),
        )

    def matches(self, tags: Collection[str]) -> bool:
        for tag in self.wanted:
            if tag not in tags:
                return False
        return not any(tag in tags for tag in self.unwanted)
