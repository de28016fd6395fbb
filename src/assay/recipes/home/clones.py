"""Clones of a home. A change that is killed leaves no half-made clone.

Before git changes a clone, a note is written to `<home>/.assay/updating/NAME`. It holds the clone's folder and the
files that the user had changed. A note that nobody holds the lock of was left by a killed update. Then all other
files are put back to the clone's commit before anything reads the clone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assay.recipes.contract.git_login import Login
from assay.recipes.contract.names import new_uid
from assay.recipes.errors import GENERAL, RecipeFault
from assay.recipes.home import git
from assay.recipes.home.removal import remove_folder

if TYPE_CHECKING:
    from assay.recipes.home.repositories import Home

PATIENCE_SECONDS = 60.0  # wait for a git that still runs after the process that started it has ended


def obtain(home: Home, target: Path, url: str, revision: git.Revision, login: Login = Login()) -> bool:  # noqa: B008
    """Clones to `target`, or updates an existing clone. True when it was cloned.

    The caller must hold the lock of the repository. A clone gets its name only when it is complete.
    """
    git.check_words(revision)
    if target.exists():
        with _updating(home, target):
            git.update(target, revision, login)
        return False
    make(target, lambda part: git.clone(url, part, revision, login))
    return True


def check_out(home: Home, target: Path, revision: git.Revision) -> None:
    """Checks out another branch or commit. The caller must hold the lock of the repository."""
    git.check_words(revision)
    with _updating(home, target):
        git.check_out(target, revision)


def remove(target: Path) -> None:
    """Removes a repository: renames the folder first, then deletes its files. The caller must hold the lock of the
    repository."""
    _sweep(target)
    away = _beside(target, "removed")
    try:
        target.rename(away)
    except FileNotFoundError:
        return
    remove_folder(away)


def make(target: Path, fill: Callable[[Path], None]) -> None:
    """Makes a folder that gets its name when `fill` is done. The caller must hold the lock of the repository."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    part = _beside(target, "part")
    try:
        fill(part)
        part.rename(target)
    finally:
        remove_folder(part)


def _sweep(target: Path) -> None:
    """Removes what killed pulls and removals of this repository left. The caller must hold its lock."""
    for kind in ("part", "removed"):
        for path in target.parent.glob(f".*.{kind}"):
            if path.name.rsplit(".", 2)[0] == f".{target.name}":
                remove_folder(path)


def mend(home: Home) -> None:
    """Undoes updates that were killed. Waits for updates that still run."""
    for note in sorted((home.work / "updating").glob("[!.]*")):
        with home.repository_lock(note.name):
            if note.exists():
                _undo(home, note)


@contextmanager
def _updating(home: Home, target: Path) -> Iterator[None]:
    if not (target / ".git").exists():  # git would use an enclosing repository
        raise RecipeFault(
            f"{target} is no clone", GENERAL, "move it away, or register it as it is: import repo"
        )
    note = home.work / "updating" / target.name
    if note.exists():
        _undo(home, note)
    _remove_stale_locks(target)
    note.parent.mkdir(parents=True, exist_ok=True)
    part = note.with_name(f".{note.name}.part")  # only the holder of the lock writes it
    part.write_bytes(os.fsencode("\0".join([str(target), *git.changed_files(target)])))
    part.replace(note)
    try:
        yield
    except BaseException:
        _undo(home, note)
        raise
    note.unlink(missing_ok=True)


def _undo(home: Home, note: Path) -> None:
    """Puts the files that the update changed back to the clone's commit. Their changed versions move to
    `.assay/failed`."""
    folder, *users = os.fsdecode(note.read_bytes()).split("\0")
    target = Path(folder)
    if (target / ".git").exists():
        _remove_stale_locks(target)
        git.reset_index(target)
        half_made = [path for path in git.changed_files(target) if path not in users]
        pieces = home.work / "failed" / f"pull-{target.name}"
        for path in half_made:
            if os.path.lexists(target / path):
                (pieces / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).replace(pieces / path)
        git.restore(target, half_made)
    note.unlink(missing_ok=True)


def _remove_stale_locks(clone: Path) -> None:
    """Removes the locks that a killed git left. We hold the lock of the repository, so none of our processes needs
    them.

    Waits for a git that still runs there, started by the user or by a killed process. Where the system does not say
    which processes run, git's locks stay. Raises: RecipeFault (1) when that git does not end in PATIENCE_SECONDS.
    """
    if not Path("/proc/self").exists():
        return
    until = time.monotonic() + PATIENCE_SECONDS
    while locks := list((clone / ".git").rglob("*.lock")):
        pid = _git_at_work(clone)
        if pid is None:
            for lock in locks:
                lock.unlink(missing_ok=True)
            return
        if time.monotonic() > until:
            raise RecipeFault(
                f"git (process {pid}) is still running in {clone}", GENERAL, "wait for it, or end it"
            )
        time.sleep(0.05)


def _git_at_work(clone: Path) -> str | None:
    """The pid of a git process that has its current folder in the clone; None when none is seen."""
    inside = str(clone.resolve())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text(encoding="utf-8", errors="replace")
            folder = os.readlink(process / "cwd") if name.startswith("git") else ""  # noqa: PTH115
        except OSError:  # it has ended, or belongs to another user
            continue
        if folder == inside or folder.startswith(f"{inside}/"):
            return process.name
    return None


def _beside(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{new_uid()}.{kind}")
