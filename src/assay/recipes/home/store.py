"""Cache entries: finds one for a request, and makes new ones that are complete or absent.

An entry is a folder of the `cache` automation in CM's own format, so that `cm` can use it. Its description
(`_cm.json`) is written last and in one step. A folder without it is no entry. It is removed when the process that
made it is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from assay.ground.parsed import json_value
from assay.recipes.contract.names import new_uid
from assay.recipes.errors import RecipeFault
from assay.recipes.home.artifacts import Artifacts
from assay.recipes.home.index import Index
from assay.recipes.home.removal import remove_folder
from assay.recipes.model.artifact import Artifact, TagQuery
from assay.recipes.model.versions import Versions
from assay.recipes.values import Given, Values

KEY_FIELD = "assay_key"
EXPIRY_FIELD = "cache_expiration"  # seconds since 1970; the name is MLC's
RUNNING = ".assay-running"


class CacheKey(NamedTuple):
    """The values that two runs must share to count as the same. CM compares only the tags; `--cache=exact` compares
    all of this."""

    recipe: str
    digest: str  # of the recipe's description, hooks and scripts
    variations: tuple[str, ...]
    version: str
    inputs: tuple[tuple[str, str], ...]

    def as_json(self) -> Values:
        return {
            "recipe": self.recipe,
            "digest": self.digest,
            "variations": list(self.variations),
            "version": self.version,
            "inputs": [list(pair) for pair in self.inputs],
        }

    def differences(self, kept: Given | None) -> list[str]:
        """Says in which parts an entry differs from this key; empty when the keys are equal."""
        if not kept:
            return ["the entry carries no key: it was made by cm, or by an older run"]
        mine = self.as_json()
        return [
            f"{part}: {kept.get(part)!r} then, {mine[part]!r} now"
            for part in mine
            if mine[part] != kept.get(part)
        ]


def recipe_digest(folder: Path) -> str:
    """SHA-256 over names and contents of the files in a recipe's folder, without READMEs, `tmp-` files and
    subfolders."""
    import hashlib

    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(("README", "tmp-")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


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
        return Staged(self, folder, uid, fresh=True)

    def reopen(self, entry: CacheEntry) -> Staged:
        """The folder of an entry that is made again. It is no entry until `commit`."""
        for name in self.home.dialect.description_files:
            (entry.path / name).unlink(missing_ok=True)
        return Staged(self, entry.path, entry.artifact.uid, fresh=False)

    def orphans(self) -> list[Path]:
        """Folders that killed runs left: without a description, and without a running process."""
        names = self.home.dialect.description_files
        return [
            folder
            for folder in (sorted(self.home.cache.glob("*")) if self.home.cache.is_dir() else [])
            if folder.is_dir()
            and not _any_of(names, folder)
            and not _is_running(folder)
            and not _any_of(names, folder)  # again: a process may have finished it meanwhile
        ]

    def failed(self) -> list[Path]:
        """The folders that failed runs left for the user to read: one per recipe."""
        return sorted((self.home.work / "failed").glob("*"))


class Staged:
    """An unfinished entry. A locked file in it tells other processes that a process works on it."""

    def __init__(self, store: Store, folder: Path, uid: str, *, fresh: bool) -> None:
        self.store = store
        self.folder = folder
        self.uid = uid
        self.fresh = fresh
        self._marker = _hold(folder / RUNNING)

    def commit(self, description: Values, state: Values) -> Artifact:
        """Writes the state, then the description, each in one step. After that the folder is an entry."""
        dialect = self.store.home.dialect
        from assay.ground.files import staged
        from assay.recipes.contract.secrets import hidden

        with staged(self.folder / dialect.cached_state_file) as part:
            if hidden(state) != state:
                part.chmod(0o600)
            part.write_text(json.dumps(state, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        full = self.store.artifacts.new_description("cache", "", self.uid, []) | description
        self.store.artifacts.write(self.folder, full)
        self.close()
        return Artifact(
            str(self.folder), "cache", self.store.home.repositories()[0], "", self.uid, tuple(full["tags"])
        )

    def discard(self, name: str) -> Path:
        """Moves the unfinished folder out of the cache. Returns the folder where its files can be read."""
        kept = self.store.home.work / "failed" / (name or self.uid)
        kept.parent.mkdir(parents=True, exist_ok=True)
        remove_folder(kept)
        self.folder.rename(kept)
        self.close()
        (kept / RUNNING).unlink(missing_ok=True)
        return kept

    def drop(self) -> None:
        """Deletes the unfinished folder."""
        self.close()
        remove_folder(self.folder)

    def close(self) -> None:
        """Releases the lock that marks this folder as in work."""
        if self._marker is not None:
            (self.folder / RUNNING).unlink(missing_ok=True)
            os.close(self._marker)
            self._marker = None


def _hold(marker: Path) -> int | None:
    """The descriptor of a locked file. The lock ends with the process, however it ends. None where the system has no
    such locks."""
    try:
        import fcntl
    except ImportError:  # this system has no such locks: no folder counts as abandoned
        return None
    part = marker.with_name(f"{marker.name}.{os.getpid()}")  # no process may see it before it is locked
    handle = os.open(part, os.O_CREAT | os.O_RDWR, 0o644)
    fcntl.flock(handle, fcntl.LOCK_EX)
    part.rename(marker)
    os.set_inheritable(handle, False)
    return handle


def _any_of(names: Iterable[str], folder: Path) -> bool:
    return any((folder / name).exists() for name in names)


def _is_running(folder: Path) -> bool:
    marker = folder / RUNNING
    if not marker.exists():
        # Made by another tool, or killed between mkdir and the lock. It counts as running for a minute.
        return time.time() - folder.stat().st_mtime < 60
    try:
        import fcntl
    except ImportError:
        return True
    try:
        with marker.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or just finished and removed
        return True
    return False


def size_bytes(folder: Path) -> int:
    """Bytes on disk below a folder; links are not followed."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total
