"""Field: one setting of a BenchmarkConfig, and how it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """One setting: where it stands in the config and how it is asked for."""

    name: str
    """Dotted field of BenchmarkConfig; the same path is its key in run.yaml."""
    flag: str
    read: Callable[[str], Any]
    help: str
    metavar: str | None = None
    is_list: bool = False
    """Its text holds several values, one a line; its flag is given once for each."""
