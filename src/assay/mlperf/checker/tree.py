"""A tree of files, walked once: known by name, type and size, contents read on demand.

Nothing outside the root is ever opened. Reading never raises:
what is missing is None, what cannot be read is None with a line in `Tree.faults`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from assay.mlperf.logs import detail, names
from assay.mlperf.logs.detail import JUDGED_KEYS, DetailLog
from assay.mlperf.submission.tree import DIVISIONS

READ_MAX_BYTES = 64 << 20
"""Nothing larger is read."""
FILE_MAX_BYTES = 50 << 20
"""Largest file of a submission. Source: FILE_SIZE_LIMIT_MB of the submission checkers to v5.1."""
_WHOLE_LOG = f"/TEST09/{names.ACCURACY_RUN}/{names.ACCURACY_FILE}"


def is_too_large(path: str, size: int) -> bool:
    """Whether a file is above FILE_MAX_BYTES and may not be.

    TEST09 logs 6,396 answers of 1,278 tokens in the mean, 65 MB, and its verifier files them whole.
    """
    return size > FILE_MAX_BYTES and not path.endswith(_WHOLE_LOG)


@dataclass(frozen=True)
class Tree:
    """What lies below a root. Keys are POSIX paths relative to it."""

    root: Path
    files: Mapping[str, int]
    """regular file -> size in bytes (of the target, for a link that stays inside the tree)"""
    folders: Mapping[str, tuple[str, ...]]
    """folder -> names in it, sorted; the root is the empty string"""
    broken_links: tuple[str, ...]
    foreign_links: tuple[str, ...]
    """Links out of the tree: not followed."""
    special: tuple[str, ...]
    """Pipes, sockets, devices, and folders that cannot be listed."""
    linked: tuple[str, ...] = ()
    """Links to folders of the tree. What lies below them is in `files` and `folders` under their name too."""
    faults: dict[str, str] = field(default_factory=dict)
    """file -> why its content could not be used; filled while reading"""

    @cached_property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """(path, name) of every file and folder below a division, each once: not again below a link."""
        starts, linked = tuple(f"{division}/" for division in DIVISIONS), tuple(f"{p}/" for p in self.linked)
        paths = (path for path in (*self.folders, *self.files) if path.startswith(starts))
        return tuple((path, path[path.rfind("/") + 1 :]) for path in paths if not path.startswith(linked))

    def names(self, folder: str) -> tuple[str, ...]:
        return self.folders.get(folder, ())

    def subfolders(self, folder: str) -> tuple[str, ...]:
        prefix = f"{folder}/" if folder else ""
        return tuple(name for name in self.names(folder) if f"{prefix}{name}" in self.folders)

    def read(self, path: str) -> bytes | None:
        """Content of a regular file of the tree."""
        size = self.files.get(path)
        if size is None:
            return None
        if size > READ_MAX_BYTES:
            self.faults[path] = f"{size:,} bytes, not read"
            return None
        try:
            with open(f"{self.root}/{path}", "rb") as file:  # noqa: PTH123  a Path costs more than the reading
                return file.read()
        except OSError as error:
            self.faults[path] = error.strerror or str(error)
            return None

    def text(self, path: str) -> str | None:
        """Text with line ends as Python reads them, so that a file written on Windows says the same.

        Bytes that are no UTF-8 are a fault: the official checkers end there.
        """
        content = self.read(path)
        if content is None:
            return None
        self._note_encoding(path, content)
        return content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")

    def _note_encoding(self, path: str, content: bytes) -> None:
        try:
            content.decode()
        except UnicodeDecodeError as error:
            self.faults[path] = f"not UTF-8: {error}"[:200]

    def json(self, path: str) -> dict[str, Any] | None:
        """A JSON object; anything else is None with a fault."""
        content = self.read(path)
        if content is None:
            return None
        try:
            value = json.loads(content.decode())  # as text: a byte order mark is an error, as officially
        except (ValueError, RecursionError) as error:
            self.faults[path] = f"not JSON: {error}"[:200]
            return None
        if not isinstance(value, dict):
            self.faults[path] = f"a JSON object is needed, found {type(value).__name__}"
            return None
        return value

    def log(self, path: str) -> DetailLog | None:
        content = self.read(path)
        if content is None:
            return None
        self._note_encoding(path, content)
        log = detail.parse(content, JUDGED_KEYS)
        if log.faults:
            self.faults[path] = "; ".join(log.faults)
        return log
