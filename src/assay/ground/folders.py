"""Folders that are whole or absent: filled beside their place, then renamed into it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assay.ground import scratch

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
"""Of renameat2(2), Linux 3.15."""


@contextmanager
def workshop(target: Path) -> Iterator[Path]:
    """A folder beside `target` to work in, gone at the end; those that killed processes left are removed.

    One process at a time works beside a target; others wait. Raises: OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        with scratch.folder(f".{target.name}.", ".part", target.parent) as folder:
            yield folder
    finally:
        os.close(handle)


def copied(source: Path, target: Path) -> None:
    """Copy a folder to `target`, with hard links where the file system can; symbolic links stay links."""
    shutil.copytree(source, target, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def put(made: Path, target: Path) -> None:
    """Put `made` in the place of `target`; at every moment one whole folder is there. Raises: OSError."""
    if not target.exists():
        made.rename(target)
    elif not _exchange(made, target):
        before = made.with_name("before")  # without the call: two renames
        target.rename(before)
        made.rename(target)


def _exchange(first: Path, second: Path) -> bool:
    """Swap both paths in one step; False where the system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = os.fsencode(first), os.fsencode(second)
    return rename is not None and rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0
