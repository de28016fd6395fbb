"""What other installed packages add to Assay: the entry points of one group, each loaded and checked.

A broken entry stops only those who ask for it: it is kept as a sentence that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from assay.ground.errors import AssayError, ConfigError

Added = TypeVar("Added")


@dataclass(frozen=True)
class BrokenEntry:
    """An entry point that cannot be used."""

    name: str
    problem: str
    """A sentence that names it, its package and what is wrong."""


@dataclass(frozen=True)
class PackageEntries(Generic[Added]):
    """All entry points of a group, by name."""

    found: dict[str, Added]
    broken: tuple[BrokenEntry, ...]


def entries(
    group: str, what: str, load: Callable[[EntryPoint], Added], taken: Container[str]
) -> PackageEntries[Added]:
    """Every entry of the group that `load` accepts; `what` is the word for one in sentences.

    load: gives the loaded thing, or raises ConfigError for what is none. taken: names of Assay's own.
    """
    found: dict[str, Added] = {}
    bad: list[BrokenEntry] = []
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            made = load(point)
            if point.name in taken or point.name in found:
                raise ConfigError(f"there is another {what} {point.name}")
            found[point.name] = made
        # The boundary to foreign code: whatever its import does, the others stay.
        except (Exception, SystemExit) as error:
            why = error.message if isinstance(error, AssayError) else f"{type(error).__name__}: {error}"
            package = point.dist.name if point.dist else "?"
            problem = f"{what} {point.name!r} of package {package} cannot be used: {why}"
            bad.append(BrokenEntry(point.name, problem))
    return PackageEntries(found, tuple(bad))
