"""Staged: a cache entry that is being made, and how other processes see that somebody is at work on it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from assay.ground import files
from assay.recipes.contract.secrets import hidden
from assay.recipes.home.artifacts import Artifacts
from assay.recipes.home.removal import remove_folder
from assay.recipes.model.artifact import Artifact
from assay.recipes.values import Values

RUNNING = ".assay-running"
STARTING_SECONDS = 60
"""A folder without a marker that changed within this time counts as in work: it was made by another tool, or its
process was killed between mkdir and the lock. A choice; a longer one leaves orphans for as long."""


class Staged:
    """An unfinished entry. A locked file in it tells other processes that a process works on it."""

    def __init__(self, artifacts: Artifacts, folder: Path, uid: str, *, fresh: bool) -> None:
        self.artifacts = artifacts
        self.folder = folder
        self.uid = uid
        self.fresh = fresh
        self._marker = _hold(folder / RUNNING)

    def commit(self, description: Values, state: Values) -> Artifact:
        """Writes the state, then the description, each in one step. After that the folder is an entry."""
        dialect = self.artifacts.home.dialect
        with files.staged(self.folder / dialect.cached_state_file) as part:
            if hidden(state) != state:
                part.chmod(0o600)
            part.write_text(json.dumps(state, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        full = self.artifacts.new_description("cache", "", self.uid, []) | description
        self.artifacts.write(self.folder, full)
        self.close()
        return Artifact(
            str(self.folder),
            "cache",
            self.artifacts.home.repositories()[0],
            "",
            self.uid,
            tuple(full["tags"]),
        )

    def discard(self, name: str) -> Path:
        """Moves the unfinished folder out of the cache. Returns the folder where its files can be read."""
        kept = self.artifacts.home.work / "failed" / (name or self.uid)
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


def is_running(folder: Path) -> bool:
    """Whether a process is at work in the folder of an unfinished entry."""
    marker = folder / RUNNING
    if not marker.exists():
        age = time.time() - folder.stat().st_mtime  # below 0 where the clock was set back since
        return abs(age) < STARTING_SECONDS
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
