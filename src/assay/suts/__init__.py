"""The SUTs that can be asked for: those of Assay, and those of other packages (entry points of `assay.suts`).

A kind is light; the module that builds the SUT is imported by name in the SUT process alone. Entry points are
looked for only when a name is not one of Assay's own, or when all names are wanted.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from assay.ground.errors import AssayError, ConfigError, EnvironmentProblem, did_you_mean
from assay.mlperf.sut_kind import SutKind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

TABLE = {
    "echo": "assay.suts.echo",
    "engine": "assay.suts.engine",
    "transformers": "assay.suts.transformers",
}
"""Name -> module whose KIND says what it is."""
GROUP = "assay.suts"
"""Group of the entry points of other packages: NAME = "package.module:KIND"."""


@dataclass(frozen=True)
class BrokenSut:
    """An entry point that gives no SUT."""

    name: str
    problem: str
    """A sentence that names it, its package and what is wrong."""


def kind(name: str) -> SutKind:
    """Raises: ConfigError with the nearest name; EnvironmentProblem when a package's SUT cannot be used."""
    if name in TABLE:
        return _own(name)
    found, broken = _of_packages()
    for other in broken:
        if other.name == name:
            raise EnvironmentProblem(other.problem, "mend or uninstall that package")
    if name not in found:
        raise ConfigError(f"unknown SUT {name!r}", did_you_mean(name, [*TABLE, *found]))
    return found[name]


def kinds() -> tuple[SutKind, ...]:
    """Assay's own in the order of the table, then those of other packages by name."""
    return (*map(_own, TABLE), *_of_packages()[0].values())


def broken() -> tuple[BrokenSut, ...]:
    """Entry points that give no SUT, each with the reason."""
    return _of_packages()[1]


def _own(name: str) -> SutKind:
    made: SutKind = importlib.import_module(TABLE[name]).KIND
    return made


@functools.cache
def _of_packages() -> tuple[dict[str, SutKind], tuple[BrokenSut, ...]]:
    from importlib.metadata import entry_points

    found: dict[str, SutKind] = {}
    bad: list[BrokenSut] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            made = _loaded(point)
            if point.name in TABLE or point.name in found:
                raise ConfigError(f"there is another SUT {point.name}")
            found[point.name] = made
        # The boundary to foreign code: whatever its import does, the other SUTs stay.
        except (Exception, SystemExit) as error:
            why = error.message if isinstance(error, AssayError) else f"{type(error).__name__}: {error}"
            package = point.dist.name if point.dist else "?"
            bad.append(
                BrokenSut(point.name, f"SUT {point.name!r} of package {package} cannot be used: {why}")
            )
    return found, tuple(bad)


def _loaded(point: EntryPoint) -> SutKind:
    """Raises: ConfigError for what is no kind of that name; and what importing it raises."""
    made = point.load()
    if isinstance(made, ModuleType):
        made = getattr(made, "KIND", None)
    if not isinstance(made, SutKind):
        raise ConfigError(f"{point.value} is not a SutKind")
    if made.name != point.name:
        raise ConfigError(f"{point.value} calls itself {made.name!r}")
    return made
