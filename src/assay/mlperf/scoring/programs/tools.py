"""The tools of the languages on this machine: where each is, or what to install.

A path is one inside the sandbox; it comes with the folders that must be readable there (name below /opt -> folder).
"""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from assay.ground import extras, scratch, settings
from assay.ground.errors import EnvironmentProblem
from assay.ground.files import staged
from assay.sandbox.sandbox import PATH

NODE = Path(__file__).parent / "node"
"""package.json and the lock file of what JavaScript and TypeScript need."""
NODE_PACKAGES = ("typescript", "lodash", "mathjs")
"""The reference's TypeScript is 5.4. `@types/node` must stay out: with it a right program compiles cleanly,
tsc ends with status 0 instead of 2, and mxeval counts the program as failed."""


def executable(name: str, package: str) -> tuple[str, dict[str, Path]]:
    """A program by its name. Raises: EnvironmentProblem that names the Debian `package` where it is missing."""
    found = shutil.which(name, path=PATH) or shutil.which(name)
    if found is None:
        raise EnvironmentProblem(f"{name} is not installed", f"apt-get install {package}")
    real = Path(found).resolve()
    if real.is_relative_to("/usr"):
        return str(real), {}
    return f"/opt/{name}/{real.parent.name}/{real.name}", {name: real.parent.parent}


def node_modules() -> Path:
    """Where the node packages are: in `tools` of a checkout, else in the store.

    Raises: EnvironmentProblem when they are in neither place.
    """
    places = (Path(__file__).parents[5] / "tools/mbxp/node_modules", settings.home() / "mbxp/node_modules")
    for place in places:
        if all((place / package).is_dir() for package in NODE_PACKAGES):
            return place
    raise EnvironmentProblem(
        "the node packages of MBXP are not installed",
        f"in a clone `make system`, else: {_npm_ci(places[1].parent)}",
    )


def _npm_ci(folder: Path) -> str:
    """The command that installs what is locked."""
    quoted = shlex.quote(str(folder))
    return (
        f"mkdir -p {quoted} && cp {shlex.quote(str(NODE))}/package*.json {quoted} && "
        f"npm ci --ignore-scripts --prefix {quoted}"
    )


def system_python() -> tuple[str, dict[str, Path]]:
    """The machine's own python3, which needs no further folder; the Python that runs Assay where there is none."""
    found = shutil.which("python3", path=PATH)
    return (str(Path(found).resolve()), {}) if found else our_python()


def our_python() -> tuple[str, dict[str, Path]]:
    """The Python that runs Assay."""
    python = Path(sys.executable).resolve()
    if python.is_relative_to("/usr"):
        return str(python), {}
    return f"/opt/python/bin/{python.name}", {"python": Path(sys.base_prefix)}


def packages(*names: str) -> dict[str, Path]:
    """Folders of installed Python packages. Raises: EnvironmentProblem for one that is not installed."""
    folders = {}
    for name in names:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise extras.problem(name)
        folders[name] = Path(found.origin).parent
    return folders


def precompiled_header(compiler: str) -> Path:
    """Folder with `bits/stdc++.h` precompiled (100 MB, built once per compiler), as `-I` takes it.

    The compiler uses it only where that equals reading the header itself. Raises: EnvironmentProblem when it cannot
    be built.
    """
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    key = "".join(c if c.isalnum() else "-" for c in version.splitlines()[0] if c.isascii())
    folder = settings.home() / "mbxp" / f"pch-{key}"
    target = folder / "bits" / "stdc++.h.gch"
    if not target.is_file():
        with staged(target) as part, scratch.folder("assay-header-") as place:
            header = place / "all.h"
            header.write_text("#include <bits/stdc++.h>\n")
            argv = [compiler, "-x", "c++-header", str(header), "-o", str(part)]
            built = subprocess.run(argv, capture_output=True, text=True, check=False)
            if built.returncode != 0:
                is_full = "No space left" in built.stderr
                raise EnvironmentProblem(
                    f"g++ cannot compile bits/stdc++.h: {built.stderr.strip()[:200]}",
                    f"free 100 MB at {folder}" if is_full else "apt-get install g++",
                )
    return folder
