"""Typed reading of a parsed config.json; each error names the file, the field and what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.ground.errors import ConfigError


@dataclass(frozen=True)
class Fields:
    """An object of a config.json; `where` names the file in errors. All readers raise ConfigError."""

    tree: Mapping[str, Any]
    where: str

    def positive(self, key: str, default: int | None = None) -> int:
        """A whole number from 1; `default` when the field is absent or null."""
        return self._whole(key, default, 1, "a positive whole number")

    def count(self, key: str, default: int | None = None) -> int:
        """A whole number from 0; `default` when the field is absent or null."""
        return self._whole(key, default, 0, "a whole number from 0")

    def _whole(self, key: str, default: int | None, least: int, expected: str) -> int:
        value = self.tree.get(key)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(key, value, expected)
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A positive number; `default` when the field is absent."""
        value = self.tree.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise self.wrong(key, value, "a positive number")
        return float(value)

    def flag(self, key: str, default: bool = False) -> bool:
        """Whether the field is set; `default` when it is absent."""
        return bool(self.tree.get(key, default))

    def ids(self, key: str) -> tuple[int, ...]:
        """A token id or a list of them; empty when the field is absent or null."""
        value = self.tree.get(key)
        ids = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(i, bool) or not isinstance(i, int) for i in ids):
            raise self.wrong(key, value, "a token id or a list of them")
        return tuple(ids)

    def within(self, *keys: str) -> Fields:
        """The first of these objects that holds anything; an empty one when none does."""
        for key in keys:
            value = self.tree.get(key)
            if value and not isinstance(value, Mapping):
                raise self.wrong(key, value, "an object")
            if value:
                return Fields(value, self.where)
        return Fields({}, self.where)

    def wrong(self, key: str, value: object, expected: str) -> ConfigError:
        return ConfigError(f"{self.where}: {key} is {value!r}, expected {expected}")
