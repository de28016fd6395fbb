"""Finds artifacts by name and tags without reading their descriptions again.

The index is a working file. Each row has the time of change and the size of the description it was made from; both
are compared with the disk on every use. The answer is therefore right even if the file is old, lost or written by
two processes at once.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from assay.recipes.contract.names import split_repository
from assay.recipes.errors import UNKNOWN_ACTION, RecipeFault, RecipeNotFound
from assay.recipes.home.descriptions import Stamp, settled, stamp, write_cache_file
from assay.recipes.home.repositories import Home
from assay.recipes.model.artifact import Artifact, Repository, TagQuery

FORM = 1  # format version of the working file; other versions are not read
Row = tuple[list[Stamp | None], str, str, tuple[str, ...]]  # stamps, alias, uid, tags


class Broken(NamedTuple):
    """A description that cannot be used. It is left out, and reported when a search finds nothing."""

    automation: str
    repository: Repository
    where: str
    fault: RecipeFault


class Index:
    """All artifacts of one home, by automation (`script`, `cache`, …)."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.broken: list[Broken] = []
        self._scripts: list[Artifact] | None = None
        self._rows: dict[str, dict[str, Row]] = {}  # by automation, as last read or written

    def find(self, automation: str, name: str = "", tags: str | Iterable[str] = "") -> list[Artifact]:
        """Artifacts with this name and these tags, in the order of repositories and folders."""
        in_repository, wanted = split_repository(name)
        query = TagQuery.parse(tags)
        return [
            artifact
            for artifact in self.artifacts(automation)
            if query.matches(artifact.tags)
            and wanted.matches(artifact.alias, artifact.uid)
            and (not in_repository or artifact.repository.answers_to(in_repository))
        ]

    def artifacts(self, automation: str) -> list[Artifact]:
        """All artifacts of one kind. Recipes are looked up once per process, the others on every call."""
        if automation != "script":
            return self._scan(automation)
        if self._scripts is None:
            self._scripts = self._scan(automation)
        return self._scripts

    def refuse_unreadable(self, automation: str, asked: Iterable[str] = (), nearest: str = "") -> None:
        """For a search that found nothing: the recipe that was meant may be one that cannot be read, which CM says
        first. Of several it is the one whose folder is named like most of what was `asked` for. `nearest`: what else
        may have been meant.

        Raises: RecipeNotFound (4). Source of message and number: cmind 4.2.0, artifact.py and automation.py.
        """
        scripts = [broken for broken in self.broken if broken.automation == automation == "script"]
        if not scripts:
            return
        words = {word for word in asked if word}
        broken = max(scripts, key=lambda one: sum(word in Path(one.where).name for word in words))
        lint = f"correct it; `recipe lint {broken.repository.alias}` names all that is wrong"
        raise RecipeNotFound(
            f"Can't load artifact meta in path {broken.where}: {broken.fault.message}",
            UNKNOWN_ACTION,
            "; ".join(filter(None, (lint, nearest))),
        )

    def automations(self) -> list[str]:
        """The kinds of artifacts: `script`, `cache`, and the folders of all repositories."""
        kinds = {"script", "cache"}
        for repository in self.home.repositories():
            kinds.update(entry.name for entry in repository.root.glob("[a-z]*") if entry.is_dir())
        return sorted(kinds)

    def forget(self) -> None:
        """Forgets what was looked up. To be called after a pull, and after recipes were added or removed."""
        self._scripts = None
        self.home.changed()

    def rebuild(self) -> int:
        """Builds the index of recipes anew. Returns the number of recipes."""
        self._file("script").unlink(missing_ok=True)
        self._rows.clear()
        self.forget()
        return len(self.artifacts("script"))

    def _file(self, automation: str) -> Path:
        return self.home.work / f"index-{automation}.bin"

    def _scan(self, automation: str) -> list[Artifact]:
        if automation not in self._rows:
            self._rows[automation] = self._read(automation)
        rows = self._rows[automation]
        names = [f"/{name}" for name in self.home.dialect.description_files]
        fresh: dict[str, Row] = {}
        found: list[Artifact] = []
        for repository in self.home.repositories():
            for where in _subfolders(f"{repository.root}/{automation}"):
                row = rows.get(where)
                if row is None or not _unchanged(where, names, row[0]):
                    row = self._row(automation, repository, where, [stamp(where + name) for name in names])
                    if row is None:
                        continue
                fresh[where] = row
                _, alias, uid, tags = row
                found.append(Artifact._make((where, automation, repository, alias, uid, tags)))
        if fresh != rows:
            self._rows[automation] = _settled(fresh)
            write_cache_file(self._file(automation), marshal.dumps((FORM, self._rows[automation])))
        return found

    def _read(self, automation: str) -> dict[str, Row]:
        try:
            form, rows = marshal.loads(self._file(automation).read_bytes())
        except (OSError, ValueError, EOFError, TypeError):
            return {}
        return rows if form == FORM and isinstance(rows, dict) else {}

    def _row(
        self, automation: str, repository: Repository, where: str, stamps: list[Stamp | None]
    ) -> Row | None:
        if not any(stamps):
            return None
        try:
            description = self.home.descriptions.load(
                Path(where), self.home.dialect.description_files, json_too=automation == "script"
            )
        except RecipeFault as fault:
            self.broken.append(Broken(automation, repository, where, fault))
            return None
        tags = description.get("tags") or []
        if isinstance(tags, str):
            tags = tags.split(",")
        if not isinstance(tags, list):
            wrong = RecipeFault(f"{where}: tags must be a list, not {tags!r}", UNKNOWN_ACTION)
            self.broken.append(Broken(automation, repository, where, wrong))
            return None
        return (
            stamps,
            str(description.get("alias") or ""),
            str(description.get("uid") or ""),
            tuple(str(tag) for tag in tags),
        )


def _unchanged(where: str, names: list[str], stamps: list[Stamp | None]) -> bool:
    """Whether the files in a folder have these stamps. It runs a thousand times per command, so it is written for
    speed.

    A file that was missing is tested with `access`, which is cheaper than `stat`: it is rarely there now.
    """
    for name, then in zip(names, stamps):
        if then is None:
            if os.access(where + name, os.F_OK):
                return False
            continue
        try:
            now = os.stat(where + name)  # noqa: PTH116
        except OSError:
            return False
        if now.st_mtime_ns != then[0] or now.st_size != then[1]:
            return False
    return True


def _subfolders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return []


def _settled(rows: dict[str, Row]) -> dict[str, Row]:
    """The rows whose files changed so long ago that a further change would show in their stamps."""
    return {where: row for where, row in rows.items() if settled(row[0])}
