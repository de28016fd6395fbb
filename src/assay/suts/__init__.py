"""The SUTs that can be asked for: those of Assay, and those of other packages (entry points of `assay.suts`).

A kind is light; the module that builds the SUT is imported by name in the SUT process alone. Entry points are
looked for only when a name is not one of Assay's own, or when all names are wanted.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from assay.config import BenchmarkConfig, Precision
from assay.ground.errors import ConfigError, EnvironmentProblem, did_you_mean
from assay.mlperf.sut.kind import SutKind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from assay.ground.packages import BrokenEntry, PackageEntries

TABLE = {
    "echo": "assay.suts.echo",
    "endpoint": "assay.suts.endpoint",
    "engine": "assay.suts.engine",
    "ray": "assay.suts.ray",
    "serve": "assay.suts.serve",
    "transformers": "assay.suts.transformers",
}
"""Name -> module whose KIND says what it is."""
GROUP = "assay.suts"
"""Group of the entry points of other packages: NAME = "package.module:KIND"."""


def kind(name: str) -> SutKind:
    """Raises: ConfigError with the nearest name; EnvironmentProblem when a package's SUT cannot be used."""
    if name in TABLE:
        return _own(name)
    added = _of_packages()
    for other in added.broken:
        if other.name == name:
            raise EnvironmentProblem(other.problem, "mend or uninstall that package")
    if name not in added.found:
        from assay.ground import packages

        hint = packages.misnamed() or did_you_mean(name, [*TABLE, *added.found])
        raise ConfigError(f"unknown SUT {name!r}", hint)
    return added.found[name]


def asked(name: str, options: Mapping[str, object]) -> SutKind:
    """The kind of that name; one that hosts another SUT has its facts and options too, as its own `options` name it.

    Raises: as `kind`.
    """
    found = kind(name)
    if not found.hosts:
        return found
    return found.hosting(kind(str(options.get(found.hosts) or found.option(found.hosts).default)))


def of(config: BenchmarkConfig) -> SutKind:
    """The kind that a config asks for. Raises: as `kind`."""
    return asked(config.sut, config.sut_options)


def kinds() -> tuple[SutKind, ...]:
    """Assay's own in the order of the table, then those of other packages by name."""
    return (*map(_own, TABLE), *_of_packages().found.values())


def precisions() -> tuple[Precision, ...]:
    """Those that some SUT runs."""
    return tuple(p for p in Precision if any(p in kind.precisions for kind in kinds()))


def broken() -> tuple[BrokenEntry, ...]:
    """Entry points that give no SUT, each with the reason."""
    return _of_packages().broken


def _own(name: str) -> SutKind:
    made: SutKind = importlib.import_module(TABLE[name]).KIND
    return made


@functools.cache
def _of_packages() -> PackageEntries[SutKind]:
    from assay.ground import packages

    return packages.entries(GROUP, "SUT", _loaded, TABLE)


def _loaded(point: EntryPoint) -> SutKind:
    """Raises: ConfigError for what is no kind of that name; and what importing it raises."""
    made = point.load()
    if isinstance(made, ModuleType):
        made = getattr(made, "KIND", None)
    if not isinstance(made, SutKind):
        raise ConfigError(f"{point.value} is not a SutKind")
    if made.name != point.name:
        raise ConfigError(f"{point.value} calls itself {made.name!r}")
    from assay.ground.packages import guarded, package_of

    package, owner = package_of(point), f"of SUT {made.name!r}"
    return dataclasses.replace(
        made,
        package=package,
        refuse=guarded(f"refuse {owner}", package, made.refuse),
        default_batch=guarded(f"default_batch {owner}", package, made.default_batch),
        takes_model=guarded(f"takes_model {owner}", package, made.takes_model),
    )
