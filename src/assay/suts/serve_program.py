"""The program that starts a server: whether it is there, and has the server in it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys

from assay.ground.errors import EnvironmentProblem
from assay.suts import serve_command

IMPORT_S = 10.0
"""Longest wait for another python to say whether it has a module; without a word the server itself will tell."""


def refuse_missing(server: str, program: str) -> None:
    """Raises: EnvironmentProblem for a program that is not there, and for a python without the server's module."""
    if shutil.which(program) is None:
        raise EnvironmentProblem(
            f"there is no program {program}", "put it on PATH; or --server, --server-python"
        )
    known = serve_command.KNOWN.get(server)
    if known is not None and known.module and not _has(program, known.module):
        raise EnvironmentProblem(
            f"{program} has no module {known.module}",
            f"--server-python the python of an environment with {server}",
        )


def _has(python: str, module: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec(module) is not None
    asked = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    try:
        said = subprocess.run([python, "-c", asked], capture_output=True, timeout=IMPORT_S, check=False)
    except OSError:
        return False
    except subprocess.TimeoutExpired:
        return True
    return said.returncode == 0
