"""Clones of a home, changed so that a change that is killed leaves nothing half-made.

While git changes the files of a clone, a note stands in `<home>/.assay/updating/NAME`: the clone's folder, and the
files that the user had changed. A note whose lock nobody holds was left by a killed update: before anything reads the
clone, its other files are put back to the commit it stands at.
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

PATIENCE_SECONDS = 60.0  # for a git that outlived the process that started it


def obtain(home: Home, target: Path, url: str, revision: git.Revision, login: Login = Login()) -> bool:  # noqa: B008
    """Clone to `target`, or bring an existing clone up to date; True when it was cloned.

    Needs the lock of the repository. A clone appears under its name only when it is whole.
    """
    git.check_words(revision)
    if target.exists():
        with _updating(home, target):
            git.update(target, revision, login)
        return False
    make(target, lambda part: git.clone(url, part, revision, login))
    return True


def check_out(home: Home, target: Path, revision: git.Revision) -> None:
    """Put a clone at another branch or commit. Needs the lock of the repository."""
    git.check_words(revision)
    with _updating(home, target):
        git.check_out(target, revision)


def remove(target: Path) -> None:
    """Remove a repository: first its name, then its files. Needs the lock of the repository."""
    _sweep(target)
    away = _beside(target, "removed")
    try:
        target.rename(away)
    except FileNotFoundError:
        return
    remove_folder(away)


def make(target: Path, fill: Callable[[Path], None]) -> None:
    """A new folder that appears under its name when `fill` is done with it. Needs the lock of the repository."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    part = _beside(target, "part")
    try:
        fill(part)
        part.rename(target)
    finally:
        remove_folder(part)


def _sweep(target: Path) -> None:
    """Remove what killed pulls and removals of this repository left. Needs its lock."""
    for kind in ("part", "removed"):
        for path in target.parent.glob(f".*.{kind}"):
            if path.name.rsplit(".", 2)[0] == f".{target.name}":
                remove_folder(path)


def mend(home: Home) -> None:
    """Undo the updates that were killed; waits for those that are still under way."""
    for note in sorted((home.work / "updating").glob("[!.]*")):
        with home.repository_lock(note.name):
            if note.exists():
                _undo(home, note)


@contextmanager
def _updating(home: Home, target: Path) -> Iterator[None]:
    if not (target / ".git").exists():  # git would take the repository around it, if there is one
        raise RecipeFault(
            f"{target} is no clone", GENERAL, "move it away, or register it as it is: import repo"
        )
    note = home.work / "updating" / target.name
    if note.exists():
        _undo(home, note)
    _remove_stale_locks(target)
    note.parent.mkdir(parents=True, exist_ok=True)
    part = note.with_name(f".{note.name}.part")  # only whoever has the lock writes it
    part.write_bytes(os.fsencode("\0".join([str(target), *git.changed_files(target)])))
    part.replace(note)
    try:
        yield
    except BaseException:
        _undo(home, note)
        raise
    note.unlink(missing_ok=True)


def _undo(home: Home, note: Path) -> None:
    """Put the files that the update changed back to the clone's commit; they can be read below `.assay/failed`."""
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
    """Remove git's own locks, which a killed git leaves: the lock of the repository is ours, so nobody needs them.

    A git that still runs there, started by the user or by a process that was killed, is waited for.
    Where the system does not tell who runs, git's locks stay. Raises: RecipeFault (1) when it does not end.
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
            raise RecipeFault(f"git (process {pid}) is at work in {clone}", GENERAL, "wait for it, or end it")
        time.sleep(0.05)


def _git_at_work(clone: Path) -> str | None:
    """The process of a git whose current folder is in the clone, as far as this system tells."""
    inside = str(clone.resolve())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text(encoding="utf-8", errors="replace")
            folder = os.readlink(process / "cwd") if name.startswith("git") else ""  # noqa: PTH115
        except OSError:  # it has ended, or is somebody else's
            continue
        if folder == inside or folder.startswith(f"{inside}/"):
            return process.name
    return None


def _beside(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{new_uid()}.{kind}")
