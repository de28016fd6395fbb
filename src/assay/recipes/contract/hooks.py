"""Runs the hooks of a `customize.py`: loads the file, calls a hook, and restores the state of the process.

A hook may change the folder, the environment, `sys.path` and the modules named `utils`. All of that is restored
after each hook. Folders that it adds to `sys.path` and variables that it sets are kept for later hooks and scripts
of the same run, because recipes use these to prepare one another.
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
    """The process state that the hooks of one run see. Native scripts start with `environ`."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.extra_path: list[str] = []
        self._shim: dict[str, ModuleType] = {}

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Applies environment, path and module names of the run inside the block, and restores the process after it."""
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
    """Changes the environment of this process from `now` to `wanted`. Sets only variables that differ."""
    for key in now.keys() - wanted.keys():
        del os.environ[key]
    os.environ.update({key: value for key, value in wanted.items() if now.get(key) != value})


class Hooks:
    """The functions of one `customize.py`. The caller checks with `has` before it calls one."""

    def __init__(self, module: ModuleType, process_state: HookProcessState, access: Any) -> None:
        self.module = module
        self.process_state = process_state
        self.access = access

    def has(self, name: str) -> bool:
        return callable(getattr(self.module, name, None))

    def call(self, name: str, arguments: Values) -> Values:
        """Calls a hook and returns its answer.

        Raises: RecipeFailed with the hook's own return number, or 1 when it raised an exception. After `sys.exit`
        the number is the exit status.
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
            cause = getattr(answer, "fault", None)  # the failure that the hook passed on
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
        except (RecipeFailed, KeyboardInterrupt):
            raise
        except BaseException as problem:  # a hook may raise anything
            raise RecipeFailed(
                f"{step} raised {words(problem)}{location(problem, self.module)}", GENERAL, step=step
            ) from problem


def words(problem: BaseException) -> str:
    """Kind and text of a foreign exception, whose text may fail in its turn."""
    try:
        return f"{type(problem).__name__}: {problem}"
    except Exception:
        return type(problem).__name__


def exit_number(code: Any) -> int:
    return code if isinstance(code, int) and code else GENERAL


def location(problem: BaseException, module: ModuleType) -> str:
    """The line in the hook's own file where an exception came from, as ` (line 12)`; empty when unknown."""
    line, trace = 0, problem.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == module.__file__:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" (line {line})" if line else ""


def load_hooks(folder: Path, process_state: HookProcessState, access: Any) -> Hooks | None:
    """The hooks of a recipe; None without the file. The file is loaded again each time, so that its module state is
    new.

    Raises: RecipeFailed (1) when the file cannot be parsed or imported.
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
        except KeyboardInterrupt:
            raise
        except BaseException as problem:
            raise RecipeFailed(
                f"cannot import {path}: {words(problem)}", GENERAL, _hint_for(problem), step="import"
            ) from problem
    return Hooks(module, process_state, access)


def _hint_for(problem: BaseException) -> str:
    if not isinstance(problem, ModuleNotFoundError):
        return ""
    return f"a dependency brings {problem.name} (run without --fake_deps), or install it beside Assay"


def connect_shim(access: Any) -> None:
    """Connects the `cmind` and `mlc` modules that hooks import to this run."""
    importlib.import_module("cmind").__dict__["access"] = access
    if mlc := sys.modules.get("mlc"):  # if a hook imports it later, it takes cmind's access
        mlc.__dict__["access"] = access
