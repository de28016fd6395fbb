"""A set of remote files, obtained once: a folder that is complete and checked, or still on its way.

Knows folders and hashes, not the meaning of the files. `hub` and `r2` make the lists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from assay.ground import download, files, lock
from assay.ground.download import Patience, Remote, Report
from assay.ground.errors import ArtifactError
from assay.ground.parsed import json_value
from assay.ground.redact import addresses

NAME_MAX = 60
"""Most characters of a name that go into the name of its folder; an address may be longer than a file name may be."""
MARKER = ".assay-artifact.json"
"""Written last: origin, and size and hash of every file. A folder without it is not complete."""


@dataclass(frozen=True)
class Item:
    """One file of a listing."""

    path: str
    """Where it goes below the folder: relative, `/` between parts."""
    remote: Remote
    git_blob: str | None = None
    """Its git blob id, where that is the only hash published."""

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path)
        leaves = not parts.parts or parts.is_absolute() or ".." in parts.parts or self.path == MARKER
        if leaves or "\\" in self.path or not self.path.isprintable():
            raise ArtifactError(
                f"{self.remote.shown}: the listing names a file outside its folder: {self.path!r}",
                "do not use this source",
            )


@dataclass(frozen=True)
class Listing:
    origin: str
    """Where the files come from, down to the revision."""
    items: tuple[Item, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(item.remote.size_bytes or 0 for item in self.items)


def place(store: Path, name: str, origin: str) -> Path:
    """The folder below `store` for the files of `origin`, a whole address: two origins never share a folder."""
    digest = hashlib.sha256(origin.encode("utf-8", "surrogateescape")).hexdigest()
    return store / f"{name[:NAME_MAX]}@{digest[:16]}"


def is_complete(folder: Path) -> bool:
    """Whether every file that the marker names is there with its size; a few `stat` calls, no hashing."""
    marker = _read_marker(folder)
    return marker is not None and all(
        (folder / path).is_file() and (folder / path).stat().st_size == known["size_bytes"]
        for path, known in marker["files"].items()
    )


def obtain(
    folder: Path,
    listing: Callable[[], Listing],
    report: Report = download.silent,
    patience: Patience | None = None,
) -> Path:
    """`folder` with every file of the listing, each checked. Sends no request when the folder is complete already.

    Raises: ArtifactError, EnvironmentProblem (disk: before the first byte).
    """
    if is_complete(folder):
        return folder
    with lock.held(folder):
        if not is_complete(folder):
            _obtain_locked(folder, listing(), report, patience)
    return folder


def origin(folder: Path) -> str | None:
    """Where a complete folder was fetched from; None for a folder that was not obtained here."""
    marker = _read_marker(folder)
    return str(marker["origin"]) if marker is not None and is_complete(folder) else None


def _obtain_locked(folder: Path, listing: Listing, report: Report, patience: Patience | None) -> None:
    if not listing.items:
        raise ArtifactError(
            f"{addresses(listing.origin)} lists no files", "check the address and the revision"
        )
    folder.mkdir(parents=True, exist_ok=True)
    download.require_space(
        folder, listing.size_bytes - _size_here(folder, listing.items), addresses(listing.origin)
    )
    # The smallest first: a token that is refused is told before hours of transfer, not after.
    for item in sorted(listing.items, key=lambda item: item.remote.size_bytes or 0):
        target = folder / item.path
        _drop_if_wrong_size(target, item)
        download.fetch(item.remote, target, report, patience)
        _check_git_blob(target, item)
    known = {item.path: _known(folder / item.path, item) for item in listing.items}
    files.write_json(folder / MARKER, {"origin": addresses(listing.origin), "files": known})


def _size_here(folder: Path, items: Sequence[Item]) -> int:
    """Bytes of the listing that are here already."""
    size = 0
    for item in items:
        target = folder / item.path
        for path in (target, target.with_name(f".{target.name}.part")):
            size += path.stat().st_size if path.is_file() else 0
    return size


def _drop_if_wrong_size(target: Path, item: Item) -> None:
    size = item.remote.size_bytes
    if target.is_file() and size is not None and target.stat().st_size != size:
        target.unlink()


def _check_git_blob(target: Path, item: Item) -> None:
    if item.git_blob is None:
        return
    content = target.read_bytes()
    # Source: git, the object format: SHA-1 over "blob SIZE\0" and the content.
    found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    if found != item.git_blob:
        target.unlink()
        raise ArtifactError(
            f"{item.remote.shown}: git blob is {found}, {item.git_blob} is listed", "fetch it again"
        )


def _known(path: Path, item: Item) -> dict[str, Any]:
    return {"size_bytes": path.stat().st_size, "sha256": item.remote.sha256 or files.sha256(path)}


def _read_marker(folder: Path) -> dict[str, Any] | None:
    try:
        marker = json_value((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return marker if isinstance(marker, dict) and isinstance(marker.get("files"), dict) else None
