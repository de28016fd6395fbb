"""A file as it is, or as it was before gzip, bzip2, xz or zip: bounded, for a few bytes can hold terabytes of zeros."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from assay.ground.budget import Budget
from assay.ground.errors import ArtifactError

CHUNK_BYTES = 1 << 20
SUFFIXES = (".gz", ".bz2", ".xz", ".zip", ".zst")
"""What pandas writes behind the name. Source: `pandas.DataFrame.to_pickle`, parameter compression."""
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    RuntimeError,
    MemoryError,
)
"""Errors that Python's own readers raise for damaged, cut or encrypted archives."""


def _only_member(file: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(file)
    if len(archive.namelist()) != 1:
        raise ValueError(f"{len(archive.namelist())} files in one zip")
    return archive.open(archive.namelist()[0])


_KINDS: dict[bytes, tuple[str, Callable[[Any], Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\0": ("xz", lzma.open),
    b"PK\x03\x04": ("zip", _only_member),
}
"""First bytes -> name and reader. Sources: RFC 1952, the bzip2 and xz file formats, PKWARE's APPNOTE.TXT."""
_ZSTD = b"\x28\xb5\x2f\xfd"


def read(path: Path, budget: Budget) -> bytes:
    """The content of a file, unpacked when its first bytes say that it is packed.

    Raises: ArtifactError for a damaged archive and for zstd, and beyond the budget; OSError when it cannot be opened.
    """
    content = path.read_bytes()
    if content.startswith(_ZSTD):
        raise ArtifactError(f"{path}: packed with zstd, which is not read here", f"zstd -d {path.name}")
    for magic, (name, unpack) in _KINDS.items():
        if content.startswith(magic):
            try:
                with unpack(io.BytesIO(content)) as file:
                    return _unpacked(file, budget)
            except BROKEN as error:
                raise ArtifactError(
                    f"{path}: a damaged {name} file ({error})", "compare its checksum with the publisher's"
                ) from error
    return content


def _unpacked(file: Any, budget: Budget) -> bytes:
    parts = []
    while chunk := file.read(CHUNK_BYTES):
        budget.spend(len(chunk))
        parts.append(chunk)
    return b"".join(parts)
