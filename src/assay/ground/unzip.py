"""A zip archive onto the disk: whole or not at all, below one folder, and no more than its size may stand for."""

from __future__ import annotations

import contextlib
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from assay.ground import scratch, system_errors
from assay.ground.budget import ENTRY_BYTES, Budget
from assay.ground.errors import ArtifactError

CHUNK_BYTES = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    LookupError,
)
"""Errors that zipfile raises for a cut, damaged, crafted or encrypted archive, or an unknown method."""


def unpack(source: Path, target: Path, strip_folders: int = 0) -> list[Path]:
    """Every file of the archive below `target`, without its first `strip_folders` folders; gives their paths.

    Links in an archive are written as the plain files that they are to zip. A file that is there is replaced.

    Raises: ArtifactError for what is no whole zip, leads out of `target`, or unfolds too far; EnvironmentProblem for
    what the disk refuses. `target` is then as it was.
    """
    try:
        with _stage(target) as stage, zipfile.ZipFile(source) as archive:
            budget = Budget.on_disk(source, source.stat().st_size)
            for entry in archive.infolist():
                parts = Path(entry.filename).parts[strip_folders:]
                if parts and not entry.is_dir():
                    budget.spend(ENTRY_BYTES)
                    _write(archive, entry, _place(source, stage, parts), budget)
            return _move(source, stage, target)
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # bzip2's own for damage has none
            raise system_errors.problem(error) from error
        raise ArtifactError(
            f"{source} cannot be unpacked: {error or type(error).__name__}", "get the archive again"
        ) from error


@contextlib.contextmanager
def _stage(target: Path) -> Iterator[Path]:
    """A folder on the disk of `target`, removed when the block ends."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with scratch.folder(".assay-unpack-", place=target if target.exists() else target.parent) as stage:
        yield stage


def _place(source: Path, stage: Path, parts: tuple[str, ...]) -> Path:
    place = Path(os.path.normpath(stage.joinpath(*parts)))
    if not place.is_relative_to(stage) or place == stage:
        raise ArtifactError(f"{source} would write outside of its folder: {'/'.join(parts)}", "do not use it")
    return place


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path, budget: Budget) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as packed, place.open("wb") as file:
        while chunk := packed.read(CHUNK_BYTES):
            budget.spend(len(chunk))
            file.write(chunk)
    if mode := stat.S_IMODE(entry.external_attr >> 16) & 0o777:
        place.chmod(mode | stat.S_IRUSR | stat.S_IWUSR)


def _move(source: Path, stage: Path, target: Path) -> list[Path]:
    """Into `target`, at once when it is new; a link that is there already leads nothing out of it."""
    files = [path.relative_to(stage) for path in sorted(stage.rglob("*")) if not path.is_dir()]
    if not target.exists():
        stage.chmod(0o755)
        stage.replace(target)
    else:
        root = target.resolve()
        for file in files:
            if not (target / file).parent.resolve().is_relative_to(root):
                raise ArtifactError(f"{source} would write outside of {target}: {file}", "do not use it")
        for file in files:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            (stage / file).replace(target / file)
    return [target / file for file in files]
