"""Runs the hooks of a `customize.py`: loads the file, lends it the process, and takes the process back.

A hook may change the folder, the environment, `sys.path` and the modules named `utils`; all of that is put
back after each one. Folders that it adds to `sys.path`, and variables it sets, are there again for later hooks
and scripts of the same run, since recipes prepare one another that way.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from assay.recipes.errors import GENERAL, RecipeFailed
from assay.recipes.values import Values

SHIM = Path(__file__).parent / "shim"
SHIM_MODULES = ("cmind", "cmind.utils", "mlc", "mlc.utils", "utils")


class HookProcessState:
    """The process as the hooks of one run see it. `environ` is what native scripts start from."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.extra_path: list[str] = []
        self._shim: dict[str, ModuleType] = {}

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Folder, environment, path and module names belong to the recipe inside the block."""
        folder, path, environ = Path.cwd(), list(sys.path), dict(os.environ)
        modules = {name: sys.modules.pop(name) for name in SHIM_MODULES if name in sys.modules}
        sys.modules.update(self._shim)
        sys.path[:] = [str(SHIM / "children"), str(SHIM), *self.extra_path, *path]
        base = list(sys.path)
        _become(environ, self.environ)
        try:
            yield
        finally:
            self.extra_path += [p for p in sys.path if p not in base and p not in self.extra_path]
            self.environ = dict(os.environ)
            _become(self.environ, environ)
            sys.path[:] = path
            self._shim = {name: sys.modules.pop(name) for name in SHIM_MODULES if name in sys.modules}
            sys.modules.update(modules)
            os.chdir(folder)


def _become(now: dict[str, str], wanted: dict[str, str]) -> None:
    """Change the environment of this process from `now` to `wanted`, touching only what differs."""
    for key in now.keys() - wanted.keys():
        del os.environ[key]
    os.environ.update({key: value for key, value in wanted.items() if now.get(key) != value})


class Hooks:
    """The functions of one `customize.py`. Absent ones are skipped by the caller."""

    def __init__(self, module: ModuleType, process_state: HookProcessState, access: Any) -> None:
        self.module = module
        self.process_state = process_state
        self.access = access

    def has(self, name: str) -> bool:
        return callable(getattr(self.module, name, None))

    def call(self, name: str, arguments: Values) -> Values:
        """The hook's answer.

        Raises: RecipeFailed with the hook's own number, or 1 when it raised or left through `sys.exit`.
        """
        step = f"{name} in {self.module.__file__}"
        with self.process_state.applied():
            connect_shim(self.access)
            answer = self._guarded(getattr(self.module, name), arguments, step)
        if answer is None:
            answer = {"return": 0}
        if not isinstance(answer, dict):
            raise RecipeFailed(
                f"{step} returned {type(answer).__name__}, not a dictionary", GENERAL, step=step
            )
        code = answer.get("return", 0)
        if code:
            message = str(answer.get("error") or f"{step} returned {code!r}")
            cause = getattr(answer, "fault", None)  # of what the hook ran, where this is its answer
            output = cause.output if isinstance(cause, RecipeFailed) else b""
            raise RecipeFailed(message, exit_number(code), step=step, output=output)
        return answer

    def _guarded(self, function: Any, arguments: Values, step: str) -> Any:
        try:
            return function(arguments)
        except SystemExit as leaving:
            raise RecipeFailed(
                f"{step} called sys.exit({leaving.code!r})", exit_number(leaving.code), step=step
            ) from leaving
        except RecipeFailed:
            raise
        except Exception as problem:
            raise RecipeFailed(
                f"{step} raised {type(problem).__name__}: {problem}{location(problem, self.module)}",
                GENERAL,
                step=step,
            ) from problem


def exit_number(code: Any) -> int:
    return code if isinstance(code, int) and code else GENERAL


def location(problem: BaseException, module: ModuleType) -> str:
    """` (line 12)`: where in the hook's own file an exception came from."""
    line, trace = 0, problem.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == module.__file__:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" (line {line})" if line else ""


def load_hooks(folder: Path, process_state: HookProcessState, access: Any) -> Hooks | None:
    """The hooks of a recipe, loaded anew so that their module-level state is fresh, or None without the file.

    Raises: RecipeFailed (1) when the file does not parse or import.
    """
    path = folder / "customize.py"
    if not path.is_file():
        return None
    loader = SourceFileLoader("customize", str(path))
    module = ModuleType("customize")
    module.__file__ = str(path)
    with process_state.applied():
        connect_shim(access)
        try:
            loader.exec_module(module)
        except SystemExit as leaving:
            raise RecipeFailed(
                f"{path} called sys.exit while it was imported", GENERAL, step="import"
            ) from leaving
        except Exception as problem:
            hint = _hint_for(problem)
            raise RecipeFailed(
                f"cannot import {path}: {type(problem).__name__}: {problem}", GENERAL, hint, step="import"
            ) from problem
    return Hooks(module, process_state, access)


def _hint_for(problem: Exception) -> str:
    if not isinstance(problem, ModuleNotFoundError):
        return ""
    return f"a dependency brings {problem.name} (run without --fake_deps), or install it beside Assay"


def connect_shim(access: Any) -> None:
    """Give the `cmind` and `mlc` modules that hooks import a way back into this run."""
    importlib.import_module("cmind").__dict__["access"] = access
    if mlc := sys.modules.get("mlc"):  # it takes over cmind's when a hook imports it later
        mlc.__dict__["access"] = access
