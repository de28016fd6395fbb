"""Files that are either whole or absent: stage beside the target, check, then rename."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.ground import scratch, settings, system_errors
from assay.ground.errors import EnvironmentProblem

CHUNK_BYTES = 1 << 20


def digest(path: Path, name: str) -> str:
    """Hex digest of a file by any hash of hashlib; MD5 serves against accidents, not against forgers."""
    state = hashlib.new(name, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()


def sha256(path: Path) -> str:
    return digest(path, "sha256")


def sha256_all(paths: Sequence[Path]) -> str:
    """The file's own digest for one file; for several, that of their `<sha256>  <name>` lines."""
    return combined_sha256([(sha256(path), path.name) for path in paths])


def combined_sha256(files_: Sequence[tuple[str, str]]) -> str:
    """`sha256_all` of files whose (digest, name) are known."""
    if len(files_) == 1:
        return files_[0][0]
    lines = "".join(f"{digest}  {name}\n" for digest, name in files_)
    return hashlib.sha256(lines.encode()).hexdigest()


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it becomes `target` when the block ends well, else it is removed.

    A device, as /dev/stdout, and a pipe are written to and never replaced.
    What a killed process left beside the same target is removed first. It lies in a folder, which has an owner also
    where a compiler replaces the file.
    Raises: EnvironmentProblem when the disk is full or the folder cannot be written.
    """
    try:
        if is_device := _is_device(target):
            beside = scratch.folder("assay-file-")
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = scratch.folder(*_beside(target))
        with beside as folder:
            part = folder / target.name
            part.touch()
            part.chmod(0o644)
            yield part
            if is_device:
                with target.open("wb") as out:
                    out.write(part.read_bytes())
            else:
                part.replace(target)
    except OSError as error:
        raise as_problem(error, target) from error


def sweep(target: Path) -> None:
    """Remove what a killed process left beside a file that is written once: no later `staged` does it."""
    scratch.sweep(*_beside(target))


def _beside(target: Path) -> tuple[str, str, Path]:
    """Prefix, suffix and place of the folders in which `target` is written."""
    return f".{target.name}.", ".part", target.parent


def _is_device(target: Path) -> bool:
    return target.parent == Path("/dev") or (target.exists() and not target.is_file() and not target.is_dir())


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Mark `folder` as in use by this process. The system removes the mark when the process ends.

    False: another process uses it. True also on a file system without locks, where nobody can tell.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield _is_marked(handle)
    finally:
        os.close(handle)


def _is_marked(handle: int) -> bool:
    """Whether the mark is this process's now; `is_held` of another process is in its way for a moment only."""
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _is_in_use(handle):
                return False
        except OSError:
            return True
        else:
            return True


def is_held(folder: Path) -> bool:
    """Whether a living process uses `folder`. Raises: OSError when it cannot be opened."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        return _is_in_use(handle)
    finally:
        os.close(handle)


def _is_in_use(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all; what is no text, as a byte of a file's name, as `\\udcff`."""
    with staged(target) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(target: Path, value: Any) -> None:
    """Write indented JSON with a final newline, whole or not at all; NaN and infinities are refused."""
    write_text(target, json.dumps(value, indent=2, allow_nan=False) + "\n")


def as_problem(error: OSError, target: Path) -> EnvironmentProblem:
    """The error for a failure to write `target`."""
    if error.errno == errno.ENOSPC:
        return EnvironmentProblem(
            f"disk full while writing {target}", f"free space on {target.parent}, or choose another folder"
        )
    is_in_store = settings.home() in target.parents
    hint = system_errors.hint(error) + (", or set ASSAY_HOME to another folder" if is_in_store else "")
    return EnvironmentProblem(f"cannot write {target}: {error.strerror or error}", hint)
