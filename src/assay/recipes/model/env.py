"""The variables of a run with the writer of each, and the variables that a recipe exports."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from assay.recipes.model.template import placeholders
from assay.recipes.values import Given, Values

WILD = frozenset("*?[")


USER_RUN_DIR = "MLC_USER_RUN_DIR"
"""MLC: the folder in which the user started the command. Relative paths in inputs start there."""


class Env(Values):
    """A dictionary that stores the writer of each key: `origin["CM_VERSION"] == "variation _v1"`.

    For code that only reads and writes it, such as hooks, it is a plain dict.
    """

    def __init__(self, values: Given | None = None, writer: str = "caller") -> None:
        super().__init__()
        self.origin: dict[str, str] = {}
        self.writer = writer
        if values:
            self.update(values)
            if isinstance(values, Env):
                self.origin.update(values.origin)

    @contextmanager
    def written_by(self, writer: str) -> Iterator[None]:
        """Records `writer` as the writer of everything that is set inside the block."""
        before, self.writer = self.writer, writer
        try:
            yield
        finally:
            self.writer = before

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.origin[key] = self.writer

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.origin.pop(key, None)

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in dict(*others, **more).items():
            self[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        self.origin.pop(key, None)
        return super().pop(key, *default)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Restores all values and writers at the end of the block."""
        values, origin = dict(self), dict(self.origin)
        try:
            yield
        finally:
            self.clear()
            self.refresh(values)
            self.origin = origin

    def refresh(self, values: Given) -> None:
        """Sets values without changing their writers, as for filled placeholders."""
        for key, value in values.items():
            super().__setitem__(key, value)


def matching_keys(values: Iterable[str], pattern: str) -> list[str]:
    """Keys that equal the pattern, or match it if it has a wildcard."""
    start = pattern[:-1]
    if pattern == f"{start}*" and WILD.isdisjoint(start):  # most patterns; fnmatch would compile each
        return [key for key in values if key.startswith(start)]
    if "*" in pattern or "?" in pattern:
        return [key for key in values if fnmatch.fnmatchcase(key, pattern)]
    return [pattern] if pattern in values else []


def exported(values: Given, patterns: Iterable[str]) -> Values:
    """The values that a recipe exports: their keys match its `new_env_keys` or `new_state_keys`.

    A pattern is a key, a wildcard, or `<<<K>>>`: the key that is the value of K.
    """
    found: Values = {}
    for pattern in patterns:
        keys = matching_keys(values, pattern)
        if not keys:
            keys = [values[name] for name in placeholders(pattern) if name in values]
        for key in keys:
            if isinstance(key, str) and key in values:
                found[key] = values[key]
    return found
