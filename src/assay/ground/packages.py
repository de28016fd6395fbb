"""What other installed packages add to Assay: the entry points of one group, each loaded and checked.

A broken entry stops only those who ask for it: it is kept as a sentence that names it. A function that fails later
names its package and its line.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Container
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from assay.ground.errors import AssayError, ConfigError, EnvironmentProblem

GROUPS = ("assay.suts", "assay.workloads")
"""Groups of entry points that Assay looks for."""
Added = TypeVar("Added")
Given = TypeVar("Given")


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
            problem = f"{what} {point.name!r} of package {package_of(point)} cannot be used: {why}"
            bad.append(BrokenEntry(point.name, problem))
    return PackageEntries(found, tuple(bad))


def misnamed() -> str:
    """Entry points of installed packages in groups that are none of Assay's, in a sentence; empty without any."""
    odd = sorted(each for each in entry_points().groups if each.startswith("assay.") and each not in GROUPS)
    if not odd:
        return ""
    return f"a package has entry points of {', '.join(odd)}, and the groups are {' and '.join(GROUPS)}"


def package_of(point: EntryPoint) -> str:
    """The distribution that brings an entry point."""
    return point.dist.name if point.dist else "?"


def guarded(
    what: str,
    package: str,
    function: Callable[..., Given],
    checked: Callable[[Given], Given] = lambda given: given,
) -> Callable[..., Given]:
    """Wraps a function of another package: what it raises, unless it is Assay's own, becomes an EnvironmentProblem.

    what: what it is, as `refuse of SUT 'parrot'`. checked: gives what the function gave, or raises TypeError.
    """

    def call(*arguments: Any) -> Given:
        try:
            return checked(function(*arguments))
        except AssayError:
            raise
        except Exception as error:  # the boundary to foreign code
            raise EnvironmentProblem(
                f"{what} in package {package} raised {type(error).__name__}: {error}{_line(function, error)}",
                "mend or uninstall that package",
            ) from error

    return call


def _line(function: Callable[..., object], error: Exception) -> str:
    """The last line of the function's own file that the error came through: ` (brief.py, line 16)`."""
    file = getattr(sys.modules.get(getattr(function, "__module__", "")), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(file).name}, line {lines[-1]})" if file and lines else ""
