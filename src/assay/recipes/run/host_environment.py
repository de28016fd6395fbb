"""The environment in which hooks and native scripts start: with our helpers on PATH, without sudo and without
writing to the user's Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from assay.recipes.contract.hooks import SHIM
from assay.recipes.contract.shell import quoted_path
from assay.recipes.contract.sudo import SUDO
from assay.recipes.errors import RecipeFault
from assay.recipes.home.repositories import Home

LAUNCHER = '#!/bin/bash\nexec {python} -m assay {verb}"$@"\n'
PIP = '#!/bin/bash\nexec "$(dirname "$0")/python3" -m pip "$@"\n'
LAUNCHERS = {"cm": "cm ", "cmr": "cm run script ", "mlc": "mlc ", "mlcr": "mlcr "}


def host_environment(
    home: Home, host_env: Mapping[str, str], *, allow_sudo: bool, own_python: bool
) -> dict[str, str]:
    """`host_env` with our folders first in PATH and PYTHONPATH.

    Recipes install pip packages into a Python environment of the home, which also sees the user's packages. With
    `own_python` off, they install into the first Python on the user's PATH.
    """
    env = dict(host_env)
    folders = [str(_launchers(home))]
    if not allow_sudo:
        folders.insert(0, str(_sudo_guard(home)))
    if own_python:
        folders.append(str(_python(home, env) / "bin"))
    env["PATH"] = os.pathsep.join([*folders, env.get("PATH", os.defpath)])
    paths = [str(SHIM / "children"), *filter(None, [env.get("PYTHONPATH")])]
    env["PYTHONPATH"] = os.pathsep.join(paths)
    env["ASSAY_PYTHON"] = sys.executable
    env["ASSAY_DIALECT"] = home.dialect.name
    env[f"{home.dialect.prefix}REPOS"] = str(home.root)
    return env


def _launchers(home: Home) -> Path:
    """A folder with `cm`, `cmr`, `mlc` and `mlcr` that start this program, for scripts that call them."""
    folder = home.work / "bin"
    for name, verb in LAUNCHERS.items():
        _write(folder / name, LAUNCHER.format(python=quoted_path(Path(sys.executable)), verb=verb))
    return folder


def _sudo_guard(home: Home) -> Path:
    folder = home.work / "sudo"
    _write(folder / "sudo", SUDO)
    return folder


def _write(path: Path, text: str) -> None:
    """Writes an executable file, unless it already has this text."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except OSError:
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o755)
    part.replace(path)


def _python(home: Home, env: Mapping[str, str]) -> Path:
    """The home's own Python environment. It is made from the first python3 on PATH if it is missing. Raises:
    RecipeFault (1) when it cannot be made."""
    folder = home.root / "python"
    if (folder / "bin" / "python3").exists():
        return folder
    import shutil
    import subprocess

    from assay.ground import scratch

    base = shutil.which("python3", path=env.get("PATH")) or sys.executable
    with home.lock("python"), scratch.folder(".python-", place=home.root) as stage:
        if (folder / "bin" / "python3").exists():
            return folder
        part = stage / folder.name
        made = subprocess.run(
            [base, "-m", "venv", "--system-site-packages", "--without-pip", str(part)],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RecipeFault(
                f"cannot make a Python environment for recipes: {made.stderr.strip()[-300:]}",
                1,
                "install python3-venv, or use yours: --user_python",
            )
        _share_packages(base, part)
        _give_pip(part)
        for name in ("pip", "pip3"):  # for recipes that call it by its bare name
            _write(part / "bin" / name, PIP)
        part.rename(folder)
    return folder


def _share_packages(base: str, environment: Path) -> None:
    """Lets the environment see the packages of `base`, even if `base` is an environment itself."""
    import subprocess

    code = (
        "import sys; print('\\n'.join(p for p in sys.path if p.endswith(('site-packages', 'dist-packages'))))"
    )
    seen = subprocess.run([base, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    target = next((environment / "lib").glob("python3*/site-packages"))
    (target / "shared-packages.pth").write_text(seen + "\n", encoding="utf-8")


def _give_pip(environment: Path) -> None:
    """Gives the environment pip, because recipes call `python3 -m pip`. Tries the user's pip, Python's own copy, then
    ours.

    Does nothing when all three are missing: most recipes need no pip, and a recipe that does reports it.
    """
    import subprocess

    python = str(environment / "bin" / "python3")
    ways = (
        [python, "-c", "import pip"],
        [python, "-m", "ensurepip"],
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"],
    )
    any(subprocess.run(way, capture_output=True, check=False).returncode == 0 for way in ways)
