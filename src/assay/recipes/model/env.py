"""Env: the variables of a run, each of which knows who wrote it; and what of them a recipe hands back."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from assay.recipes.model.template import placeholders
from assay.recipes.values import Given, Values

WILD = frozenset("*?[")


USER_RUN_DIR = "MLC_USER_RUN_DIR"
"""MLC: the folder that the user called from; relative paths of inputs start there."""


class Env(Values):
    """A dictionary that remembers the writer of each key: `origin["CM_VERSION"] == "variation _v1"`.

    It is a plain dict for those who only read and write it, such as the hooks of a recipe.
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
        """Everything set inside the block is the work of `writer`."""
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
        """Whatever happens to the values inside the block is undone after it."""
        values, origin = dict(self), dict(self.origin)
        try:
            yield
        finally:
            self.clear()
            self.refresh(values)
            self.origin = origin

    def refresh(self, values: Given) -> None:
        """Set values whose writer stays the one that is known: a placeholder that was filled in."""
        for key, value in values.items():
            super().__setitem__(key, value)


def matching_keys(values: Iterable[str], pattern: str) -> list[str]:
    """Keys that are the pattern, or that it covers when it has a wildcard."""
    start = pattern[:-1]
    if pattern == f"{start}*" and WILD.isdisjoint(start):  # nearly all of them; fnmatch compiles each pattern
        return [key for key in values if key.startswith(start)]
    if "*" in pattern or "?" in pattern:
        return [key for key in values if fnmatch.fnmatchcase(key, pattern)]
    return [pattern] if pattern in values else []


def exported(values: Given, patterns: Iterable[str]) -> Values:
    """What a recipe hands back: the values whose keys its `new_env_keys` or `new_state_keys` name.

    A pattern is a key, a wildcard, or `<<<K>>>`: the key that K holds.
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
