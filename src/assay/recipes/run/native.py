"""Runs one native script of a recipe, from the dictionary that hooks get as `run_script_input`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.recipes.contract import shell
from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.hooks import HookProcessState
from assay.recipes.contract.merge import merge
from assay.recipes.errors import NOT_FOUND, RecipeFailed, RecipeNotFound
from assay.recipes.model.template import filled
from assay.recipes.values import Values


class NativeScripts:
    """Runs native scripts with the environment of a process_state, and logs each call."""

    def __init__(
        self, dialect: Dialect, process_state: HookProcessState, note: Callable[[str], None]
    ) -> None:
        self.dialect = dialect
        self.process_state = process_state
        self.note = note

    def run(self, step: Values) -> bool:
        """Runs the script of a step in the current folder. Its `env` and `state` are updated with the script's results.

        False when the recipe has no script with the name. Raises: RecipeFailed (2) when the script fails,
        RecipeNotFound (16) when the recipe names a missing script.
        """
        folder, env, state = Path(step["path"]), step["env"], step["state"]
        meta = step.get("meta") or {}
        chosen = str(step.get("script_name") or "").strip()
        named = str(meta.get("script_name") or "").strip()
        script = shell.script_for(folder, chosen or named or "run", env, self.dialect)
        if script is None and named and not chosen:
            raise RecipeNotFound(f"script {folder / named}.sh not found - please add one", NOT_FOUND)
        env.update(step.get("const") or {})
        key = self.dialect.key
        env[key("TMP_CURRENT_SCRIPT_PATH")] = str(folder)
        here = Path.cwd()
        env[key("TMP_CURRENT_SCRIPT_WORK_PATH")] = str(here)
        env.update(filled(env, env))
        if script is None:
            shell.write_state(state)
            return False
        self.note(f"       ! cd {here}")
        self.note(f"       ! call {script} from {shell.RUN_FILE}")
        wanted = {tag for tag in str(step.get("debug_script_tags") or "").split(",") if tag}
        keep = bool(wanted) and wanted <= set(step.get("found_script_tags") or [])
        ended = shell.run_script(script, env, state, self.process_state.environ, keep=keep)
        if ended.problem:
            self.note(f"       ! output of {script}: {ended.problem}")
        if ended.status and not step.get("ignore_script_error"):
            self._show_files(meta.get("print_files_if_script_error") or [])
            raise _failed(script, here, ended, self.dialect.name, meta.get("alias"))
        if not here.is_dir():
            raise RecipeFailed(f"{script} removed the folder that it ran in: {here}", step=str(script))
        merge(state, shell.new_state())
        env.update(shell.new_env())
        return True

    def _show_files(self, names: list[str]) -> None:
        for name in names:
            path = Path(name)
            if path.is_file():
                self.note(f"  content of {path.absolute()}:")
                for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                    self.note(f"  {line}")


def _failed(script: Path, folder: Path, ended: shell.ScriptEnded, dialect: str, alias: Any) -> RecipeFailed:
    status, step = shell.status_words(ended.status), f"{script}, run in {folder}"
    problem = f"[not all that it printed is here: {ended.problem}]\n" if ended.problem else ""
    return RecipeFailed(
        f"Portable {dialect.upper()} script failed (name = {alias}, {status})",
        step=step,
        output=f"{step}: {status}\n{problem}\n".encode() + ended.printed,
    )
