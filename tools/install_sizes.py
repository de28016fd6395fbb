"""Counts what each extra brings: packages and MB of what it needs, in the environment that runs this.

    .venv/bin/python tools/install_sizes.py     a row of docs/installing.md for each extra

Sizes add up by package, so one environment that holds all extras measures every one of them: those of the files that
each package says it installed, and of their compiled forms. pip is left out; every environment has it.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PACKAGE = "assay-bench"
BESIDE = {"pip", "setuptools"}


def name_of(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def needed(name: str, extras: tuple[str, ...], into: dict[str, set[str]]) -> None:
    """Adds a package, and all that it needs with those extras, to `into`: name -> extras it was asked with."""
    seen = into.setdefault(name, set())
    new = {"", *extras} - seen
    seen |= new
    for line in metadata.requires(name) or [] if new else []:
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in new):
            needed(name_of(requirement.name), tuple(requirement.extras), into)


def size(name: str) -> int:
    """Bytes of a package's files. One that is installed from a checkout is counted there."""
    if name == PACKAGE:
        files = [path for path in (Path(__file__).parents[1] / "src").rglob("*") if path.is_file()]
    else:
        files = [Path(str(file.locate())) for file in metadata.files(name) or []]
    return sum(path.stat().st_size for path in files if path.is_file())


def main() -> None:
    extras = ["", *(metadata.metadata(PACKAGE).get_all("Provides-Extra") or [])]
    sizes: dict[str, int] = {}
    for extra in extras:
        found: dict[str, set[str]] = {}
        try:
            needed(PACKAGE, (extra,) if extra else (), found)
        except metadata.PackageNotFoundError as error:
            sys.stdout.write(f"{extra:<10} cannot be counted: {error} is not installed here\n")
            continue
        names = set(found) - BESIDE
        sizes |= {name: size(name) for name in names - sizes.keys()}
        total = sum(sizes[name] for name in names)
        sys.stdout.write(f"{extra or 'base':<10} {total / 1e6:>6.0f} MB {len(names):>4} packages\n")


if __name__ == "__main__":
    main()
