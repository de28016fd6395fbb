"""Temporary folders with an owner: what a killed process left behind, the next one removes.

The owner holds a lock on the folder itself, which the system gives up however the owner ends.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assay.ground.lock import is_named

RANDOM = "?" * 8
"""What tempfile puts between prefix and suffix: the names of `a` and of `a.b` stay apart."""


@contextmanager
def folder(prefix: str, suffix: str = "", place: Path | None = None) -> Iterator[Path]:
    """An empty folder of a name that begins with `prefix`, in `place` or else where temporary files go, there without
    links in its path; removed at the end.

    Those of the same names that nobody owns any more are removed first. So the names belong to this function alone.
    Raises: OSError.
    """
    root = place or Path(tempfile.gettempdir()).resolve()
    sweep(prefix, suffix, root)
    handle = None
    while handle is None:
        path = Path(tempfile.mkdtemp(suffix, prefix, root))
        handle = own(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def sweep(prefix: str, suffix: str, root: Path) -> None:
    """Remove the folders of `folder` with these names in `root` that nobody owns any more."""
    remove_abandoned(
        root.glob(f"{glob.escape(prefix)}{RANDOM}{suffix}"),
        lambda path: shutil.rmtree(path, ignore_errors=True),
    )


def own(path: Path) -> int | None:
    """Own a folder that was just made until the returned handle is closed; None when it is gone already."""
    handle = None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks: then nobody can remove it, either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if is_named(handle, path):
            return handle
    except FileNotFoundError:
        pass
    if handle is not None:
        os.close(handle)
    return None


def remove_abandoned(folders: Iterable[Path], remove: Callable[[Path], None]) -> None:
    """Remove the folders that no process owns; folders of other users and symbolic links stay."""
    for path in folders:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(path)
        except OSError:  # somebody owns it, or it is in use
            continue
        finally:
            os.close(handle)
