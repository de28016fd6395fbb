"""What lies below a root, listed once. Nothing outside it is entered; a link is followed while it stays inside."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from assay.mlperf.checker.tree import Tree
from assay.mlperf.submission.tree import DIVISIONS

DEPTH_MAX = 40
"""Folders below each other. A choice: logs of a submission lie 8 deep, and a crafted archive can have thousands."""
LINKED_MAX = 200_000
"""Names listed through links: links to folders that hold links can multiply a tree without end."""

_name = attrgetter("name")


def walk(root: Path, submitter: str | None = None) -> Tree:
    """The tree below `root`; with `submitter`, of each division only that submitter's folder."""
    listing = _Listing(Path(os.path.realpath(root)), submitter)
    waiting = [_Folder("")]
    while waiting:
        waiting += listing.add(waiting.pop())
    return Tree(
        listing.root,
        listing.files,
        listing.folders,
        broken_links=tuple(sorted(listing.broken)),
        foreign_links=tuple(sorted(listing.foreign)),
        special=tuple(sorted(listing.special)),
        linked=tuple(listing.linked),
    )


@dataclass(frozen=True)
class _Folder:
    path: str
    links: tuple[str, ...] = ()
    """Real paths of the folders that links led to on the way here."""


@dataclass
class _Listing:
    root: Path
    submitter: str | None
    files: dict[str, int] = field(default_factory=dict)
    folders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    linked_names: int = 0

    def add(self, folder: _Folder) -> list[_Folder]:
        """List one folder; gives the folders in it that are to be listed next."""
        entries = self._scan(folder.path)
        if entries is None or folder.path.count("/") >= DEPTH_MAX:
            self.special.append(folder.path)
            return []
        if self.submitter and folder.path in DIVISIONS:
            entries = [e for e in entries if e.name == self.submitter or e.is_file()]
        self.folders[folder.path] = tuple(map(_storable, map(_name, entries)))
        self.linked_names += len(entries) if folder.links else 0
        found = (self._sort(folder, entry) for entry in entries)
        return [below for below in found if below is not None]

    def _scan(self, path: str) -> list[os.DirEntry[str]] | None:
        """Entries by name; None for a folder that cannot be listed."""
        try:
            with os.scandir(f"{self.root}/{path}") as entries:
                return sorted(entries, key=_name)
        except OSError:
            return None

    def _sort(self, folder: _Folder, entry: os.DirEntry[str]) -> _Folder | None:
        path = f"{folder.path}/{entry.name}" if folder.path else entry.name
        if not entry.name.isascii() and entry.name != _storable(entry.name):
            self.special.append(_storable(path))
        elif entry.is_symlink():
            return self._follow(folder, path)
        elif entry.is_dir(follow_symlinks=False):
            return _Folder(path, folder.links)
        elif entry.is_file(follow_symlinks=False):
            self.files[path] = entry.stat(follow_symlinks=False).st_size
        else:
            self.special.append(path)
        return None

    def _follow(self, folder: _Folder, path: str) -> _Folder | None:
        place = self.root / path
        target = Path(os.path.realpath(place))
        try:
            status = target.stat()
        except (OSError, ValueError):
            self.broken.append(path)
            return None
        is_folder = stat.S_ISDIR(status.st_mode)
        if not target.is_relative_to(self.root) or not (is_folder or stat.S_ISREG(status.st_mode)):
            self.foreign.append(path)
        elif not is_folder:
            self.files[path] = status.st_size
        elif self.linked_names > LINKED_MAX:
            self.foreign.append(path)
        else:
            self.linked.append(path)
            is_loop = place.is_relative_to(target) or str(target) in folder.links
            if not is_loop:
                return _Folder(path, (*folder.links, str(target)))
            self.folders[path] = tuple(map(_storable, map(_name, self._scan(path) or [])))
        return None


def _storable(name: str) -> str:
    """A name that can be stored: bytes that are no UTF-8 become question marks."""
    return name if name.isascii() else name.encode("utf-8", "replace").decode("utf-8")
