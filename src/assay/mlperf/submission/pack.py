"""A submission tree as one archive: the same bytes for the same tree, with its SHA-256 beside it."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

from assay.ground import files
from assay.ground.errors import ConfigError

EPOCH = 0
"""Time of every member and of the archive: it tells nothing about a submission."""


def archive_of(root: Path) -> Path:
    """TREE.tar.gz beside the tree. `.` and `..` have the names of the folders that they are."""
    root = root if root.name not in ("", "..") else root.resolve()
    return root.with_name(f"{root.name}.tar.gz")


def pack(root: Path, archive: Path) -> str:
    """Write `archive` (.tar.gz) and `archive`.sha256, whole or not at all; gives the digest.

    Members are sorted by path, owned by nobody in particular, and readable by all. Links are stored as what
    they are, so a tree with links out of itself is the checker's affair (T4).
    Raises: ConfigError when there is no such tree or the archive would lie inside it.
    """
    if not root.is_dir():
        raise ConfigError(f"no submission tree {root}", "build one with `assay submit`")
    if archive.absolute().is_relative_to(root.absolute()):
        raise ConfigError(f"{archive} lies inside the tree that it packs", "choose a folder beside the tree")
    beside = archive.with_name(archive.name + ".sha256")
    with files.staged(archive) as part:
        with (
            part.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=EPOCH, compresslevel=6) as packed,
            tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as tar,
        ):
            for path in _members(root):
                _add(tar, path, f"{root.name}/{path.relative_to(root).as_posix()}")
        digest = files.sha256(part)
        beside.unlink(missing_ok=True)  # that of an archive before: killed here, the new one has none
    files.write_text(beside, f"{digest}  {archive.name}\n")
    return digest


def _members(root: Path) -> list[Path]:
    """Files, and links to files or folders."""
    found = [Path(folder) / name for folder, below, names in os.walk(root) for name in (*names, *below)]
    members = [path for path in found if path.is_symlink() or not path.is_dir()]
    return sorted(members, key=lambda path: path.relative_to(root).as_posix())


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    member = tar.gettarinfo(str(path), arcname=name)
    member.mtime, member.uid, member.gid, member.uname, member.gname = EPOCH, 0, 0, "", ""
    member.mode = 0o644
    if not member.isreg():
        tar.addfile(member)
        return
    with path.open("rb") as content:
        tar.addfile(member, content)
