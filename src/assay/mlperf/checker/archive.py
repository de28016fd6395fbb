"""A packed submission, unpacked without trust: files and links that stay below one folder, and nothing else.

Members are copied one by one, links after all files, so that nothing is written through them. What would leave the
folder, is no file or link, or is too large is a fault and stays packed. Never raises for a bad archive.
"""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.ground import scratch
from assay.ground.budget import ENTRY_BYTES, Budget
from assay.ground.errors import ArtifactError
from assay.mlperf.checker.tree import is_too_large
from assay.mlperf.submission.tree import DIVISIONS

TOTAL_MAX_BYTES = 8 << 30
"""The largest published round is below 3 GB; more is a bomb."""
EXTENSION_MAX_BYTES = 1 << 20
"""A choice: a path and its attributes take KB."""
CHUNK_BYTES = 1 << 20
SUFFIXES = (".tar", ".tar.gz", ".tgz")
_DAMAGED = (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, RecursionError)
"""What tarfile raises for a bad archive. It calls itself for each extended header that follows another."""


@dataclass(frozen=True)
class Archive:
    name: str
    root: Path
    """Folder that holds closed/, open/ or network/ once unpacked."""
    faults: tuple[tuple[str, str], ...]
    """(member, what is wrong with it)"""


def is_archive(path: Path) -> bool:
    return path.is_file() and path.name.endswith(SUFFIXES)


@contextmanager
def unpacked(path: Path) -> Iterator[Archive]:
    """The archive's plain files in a folder that goes when the block ends."""
    with scratch.folder("assay-check-") as folder:
        faults: list[tuple[str, str]] = []
        try:
            with tarfile.open(path, tarinfo=_Member) as tar:
                _copy_members(tar, folder, faults, Budget.on_disk(path, path.stat().st_size))
        except ArtifactError as refused:
            faults.append(("", refused.message))
        except _DAMAGED as error:
            faults.append(("", f"cannot be unpacked: {error}"))
        yield Archive(path.name, _top(folder), tuple(faults))


class _Member(tarfile.TarInfo):
    """Refuses headers with an extension of a megabyte or more, which tarfile would read into memory whole, and those
    of less than no bytes, for which it would go back and read the same members for ever."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        member = super().frombuf(buf, encoding, errors)
        is_extension = not (
            member.isreg() or member.isdir() or member.issym() or member.islnk() or member.isdev()
        )
        if member.size < 0:
            raise tarfile.ReadError(f"a member of {member.size:,} bytes")
        if is_extension and member.size > EXTENSION_MAX_BYTES:
            raise tarfile.ReadError(f"an extended header of {member.size:,} bytes")
        return member


def _copy_members(tar: tarfile.TarFile, folder: Path, faults: list[tuple[str, str]], budget: Budget) -> None:
    total, links = 0, []
    for member in tar:
        reason = _refused(member)
        total += member.size
        budget.spend(ENTRY_BYTES + member.size)
        if total > TOTAL_MAX_BYTES:
            faults.append((member.name, f"more than {TOTAL_MAX_BYTES:,} bytes in all"))
            return
        if reason:
            faults.append((member.name, reason))
        elif member.issym() or member.islnk():
            links.append(member)
        elif member.isdir():
            (folder / member.name).mkdir(parents=True, exist_ok=True)
        else:
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None, "a plain file has content"
            with content, target.open("wb") as out:
                shutil.copyfileobj(content, out)
    while rest := tar.fileobj.read(CHUNK_BYTES):  # a checksum of all of it comes last
        budget.spend(len(rest))
    faults += ((link.name, "leads out of the archive") for link in links if not _make_link(link, folder))


def _make_link(member: tarfile.TarInfo, folder: Path) -> bool:
    """False, and no link, for one that leads out or would itself lie behind another link."""
    place = folder / member.name
    target = (folder if member.islnk() else place.parent) / member.linkname
    lies_inside = Path(os.path.normpath(target)).is_relative_to(folder)
    if not lies_inside or Path(os.path.realpath(place.parent)) != place.parent or place.exists():
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        place.symlink_to(member.linkname)
    elif Path(os.path.realpath(target)) == target and target.is_file():
        place.hardlink_to(target)
    else:
        return False
    return True


def _refused(member: tarfile.TarInfo) -> str:
    """Why a member is not unpacked; empty where it is."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\0" in member.name:
        return "leads out of the archive"
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return "is a pipe or device"
    if is_too_large(member.name, member.size):
        return f"is {member.size:,} bytes"
    return ""


def _top(folder: Path) -> Path:
    """The folder itself, or the one folder in it when that is not a division (the packed tree's own name)."""
    names = list(folder.iterdir())
    if len(names) == 1 and names[0].is_dir() and names[0].name not in DIVISIONS:
        return names[0]
    return folder
