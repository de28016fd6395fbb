"""Cache entries: finds one for a request, and makes new ones that are complete or absent.

An entry is a folder of the `cache` automation in CM's own format, so that `cm` can use it. Its description
(`_cm.json`) is written last and in one step. A folder without it is no entry. It is removed when the process that
made it is gone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from assay.ground.parsed import json_value
from assay.recipes.contract.names import new_uid
from assay.recipes.errors import RecipeFault
from assay.recipes.home.artifacts import Artifacts
from assay.recipes.home.cache_key import CacheKey
from assay.recipes.home.index import Index
from assay.recipes.home.staged import Staged, is_running
from assay.recipes.model.artifact import Artifact, TagQuery
from assay.recipes.model.versions import Versions
from assay.recipes.values import Values

KEY_FIELD = "assay_key"
EXPIRY_FIELD = "cache_expiration"  # seconds since 1970; the name is MLC's


class CacheEntry(NamedTuple):
    """A stored result: the folder and its description. `Store.state` reads its state."""

    artifact: Artifact
    description: Values

    @property
    def path(self) -> Path:
        return self.artifact.path

    @property
    def tags(self) -> list[str]:
        return list(self.artifact.tags)

    @property
    def version(self) -> str:
        return str(self.description.get("version") or "")

    def owner_uid(self, owner_key: str) -> str:
        """The uid of the recipe that made the entry; empty for an entry of another tool."""
        owner = str(self.description.get(owner_key) or "")
        return owner.rpartition(",")[2].strip()

    def expired(self, now: float) -> bool:
        limit = self.description.get(EXPIRY_FIELD)
        return isinstance(limit, (int, float)) and limit < now

    def missing_base(self) -> str:
        """The missing folder that the entry depends on; empty when nothing is missing."""
        needed = str(self.description.get("dependent_cached_path") or "")
        return needed if needed and not Path(needed).exists() else ""


class Rejected(NamedTuple):
    """An entry that has the tags but cannot be used."""

    entry: CacheEntry
    reason: str


class Lookup(NamedTuple):
    """The result of a search of the cache: entries that can be used, and why others cannot."""

    tags: list[str]
    entries: list[CacheEntry]
    rejected: list[Rejected]


class Store:
    """The cache of one home."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.home = index.home
        self.artifacts = Artifacts(index)
        self._held: set[str] = set()

    def entries(self, tags: str | list[str] = "") -> list[CacheEntry]:
        """Finished entries with these tags, ordered by their sorted tags as in CM."""
        names = self.home.dialect.description_files
        found = []
        for artifact in self.index.find("cache", "", tags):
            with contextlib.suppress(RecipeFault):  # removed by another process since the index was read
                found.append(CacheEntry(artifact, self.home.descriptions.load(artifact.path, names)))
        return sorted(found, key=lambda entry: sorted(entry.tags))

    def look_up(self, tags: list[str], versions: Versions, key: CacheKey | None = None) -> Lookup:
        """Entries that fit a request: by CM's rule of tags, and by the whole key if one is given."""
        lookup = Lookup(["-tmp", *tags], [], [])
        now = time.time()
        for entry in self.entries(lookup.tags):
            reason = self._objection(entry, versions, key, now)
            if reason:
                lookup.rejected.append(Rejected(entry, reason))
            else:
                lookup.entries.append(entry)
        return lookup

    def _objection(self, entry: CacheEntry, versions: Versions, key: CacheKey | None, now: float) -> str:
        if missing := entry.missing_base():
            return f"depends on {missing}, which is gone"
        if not versions.admits(entry.version):
            return (
                f"its version {entry.version} is outside the bounds {versions.lowest} to {versions.highest}"
            )
        if entry.expired(now):
            return "it has expired"
        if not (entry.path / self.home.dialect.cached_state_file).is_file():
            return f"it has no {self.home.dialect.cached_state_file}"
        if key and (differences := key.differences(entry.description.get(KEY_FIELD))):
            return "; ".join(differences)
        return ""

    def nearest(self, tags: list[str], owner: str) -> list[tuple[CacheEntry, list[str]]]:
        """Entries of a recipe, each with the requested tags that it lacks. The verb `why` shows them."""
        query = TagQuery.parse(tags)
        owned = [e for e in self.entries() if e.owner_uid(self.home.dialect.owner_key) == owner]
        return [(entry, sorted(query.wanted - set(entry.tags))) for entry in owned]

    def state(self, entry: CacheEntry) -> Values:
        """The stored env and state. Paths below another home's cache are changed to this home.

        Raises: RecipeFault (16) when the file is missing or broken.
        """
        path = entry.path / self.home.dialect.cached_state_file
        try:
            state: Values = json_value(path.read_text(encoding="utf-8"))
            parts = ("new_env", "new_state") if isinstance(state, dict) else ()
            if not parts or not all(isinstance(state.get(part) or {}, dict) for part in parts):
                raise ValueError("it holds no env and state")
        except (OSError, ValueError) as error:
            raise RecipeFault(
                f"cannot read the cached state {path}: {error}",
                16,
                f"remove the entry: rm cache {entry.artifact.uid} -f",
            ) from error
        state["new_env"] = {key: self._rooted(value) for key, value in (state.get("new_env") or {}).items()}
        return state

    def _rooted(self, value: Any) -> Any:
        """Changes a path into another home's `local/cache` to this home's cache, if the entry exists here."""
        if isinstance(value, list):
            return [self._rooted(item) for item in value]
        if not isinstance(value, str) or "/local/cache/" not in value:
            return value
        before, _, rest = value.partition("/local/cache/")
        here = f"{self.home.cache}/{rest}"
        if before == str(self.home.local.parent) or not Path(here).exists():
            return value
        return here

    @contextlib.contextmanager
    def exclusively(self, tags: list[str]) -> Iterator[None]:
        """Lets one process at a time make the entry of these tags. A recipe that calls itself may enter again."""
        import zlib

        name = f"entry-{zlib.crc32(','.join(sorted(tags)).encode()):08x}"
        if name in self._held:
            yield
            return
        self._held.add(name)
        try:
            with self.home.lock(name):
                yield
        finally:
            self._held.discard(name)

    def stage(self, alias: str = "") -> Staged:
        """Makes a folder for a new entry. It is no entry before `commit`."""
        uid = new_uid()
        folder = self.home.cache / self.home.dialect.entry_folder(alias, uid)
        folder.mkdir(parents=True)
        return Staged(self.artifacts, folder, uid, fresh=True)

    def reopen(self, entry: CacheEntry) -> Staged:
        """The folder of an entry that is made again. It is no entry until `commit`."""
        for name in self.home.dialect.description_files:
            (entry.path / name).unlink(missing_ok=True)
        return Staged(self.artifacts, entry.path, entry.artifact.uid, fresh=False)

    def orphans(self) -> list[Path]:
        """Folders that killed runs left: without a description, and without a running process."""
        names = self.home.dialect.description_files

        def is_described(folder: Path) -> bool:
            return any((folder / name).exists() for name in names)

        return [
            folder
            for folder in (sorted(self.home.cache.glob("*")) if self.home.cache.is_dir() else [])
            if folder.is_dir()
            and not is_described(folder)
            and not is_running(folder)
            and not is_described(folder)  # again: a process may have finished it meanwhile
        ]

    def failed(self) -> list[Path]:
        """The folders that failed runs left for the user to read: one per recipe."""
        return sorted((self.home.work / "failed").glob("*"))
