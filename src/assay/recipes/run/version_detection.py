"""What hooks get as `automation` to learn the version of a tool: its scripts are run, and their output is read.

The methods take and return dictionaries with `return` and `error`, as hooks expect.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from assay.recipes.contract import shell
from assay.recipes.contract.hooks import Hooks
from assay.recipes.contract.merge import copied
from assay.recipes.errors import GENERAL, NOT_FOUND, RecipeFault
from assay.recipes.model.versions import Versions
from assay.recipes.run.native import NativeScripts
from assay.recipes.values import Values

Answer = Values


class HookServices(NamedTuple):
    """What the object for hooks works with: `access` requests another action, `ask` puts a question to the user."""

    scripts: NativeScripts
    access: Callable[..., Answer]
    ask: Callable[[str], str | None]


class VersionDetection:
    """Runs the scripts of a recipe's folder and its hook `detect_version`."""

    def __init__(self, services: HookServices) -> None:
        self.scripts, self.access, self.ask = services
        self.dialect = self.scripts.dialect

    def run_native_script(self, i: Answer) -> Answer:
        """Runs another script of the recipe's folder. `env_tmp` is the env after it; env, state and script name of
        the step are then restored."""
        step = i["run_script_input"]
        before = {key: copied(step[key]) for key in ("env", "state", "script_name") if key in step}
        step["script_name"], step["env"] = i["script_name"], i.get("env") or {}
        step.setdefault("state", {})
        try:
            answer = self._attempt(step)
            answer["env_tmp"] = copied(dict(step["env"]))
        finally:
            for key in ("env", "state", "script_name"):
                step.pop(key, None)
            step.update({"script_name": "", **before})
        return answer

    def _attempt(self, step: Answer) -> Answer:
        try:
            self.scripts.run(step)
        except RecipeFault as fault:
            return fault.answer()
        return {"return": 0}

    def detect_version_using_script(self, i: Answer) -> Answer:
        """Runs the recipe's script and its `detect_version` hook. Returns 16 when they find no version within the
        bounds."""
        env, step = i.get("env") or {}, i["run_script_input"]
        answer = self.detect(step, env)
        version = answer.get("version", "")
        if answer["return"] == 0 and version not in ("", -1) and self.fits(str(version), env):
            return {"return": 0, "detected_version": version}
        return {"return": NOT_FOUND, "error": answer.get("error") or "version was not detected"}

    def detect(self, step: Answer, env: Values) -> Answer:
        step["env"] = env
        step.setdefault("state", {})
        answer = self._attempt(step)
        if answer["return"] or "customize_code" not in step:
            return answer
        hooks = Hooks(step["customize_code"], self.scripts.process_state, self.access)
        if not hooks.has("detect_version"):
            return answer
        arguments = {**step.get("customize_common_input", {}), "env": env, "state": step["state"]}
        try:
            return hooks.call("detect_version", {**arguments, "meta": step.get("meta", {})})
        except RecipeFault as fault:
            return fault.answer()

    def fits(self, version: str, env: Values) -> bool:
        wanted, lowest, highest = (
            str(env.get(self.dialect.key(key)) or "") for key in ("VERSION", "VERSION_MIN", "VERSION_MAX")
        )
        return (not wanted or wanted == version) and Versions(lowest=lowest, highest=highest).admits(version)

    def parse_version(self, i: Answer) -> Answer:
        """Finds a version in a script's output with a regular expression, and sets it in `which_env`."""
        path = Path(i.get("file_name") or shell.VERSION_FILE)
        if not path.is_file():
            return {"return": NOT_FOUND, "error": f"file {path} was not found"}
        text = path.read_text(encoding="utf-8", errors="replace")
        match = re.search(i["match_text"], text)
        number = i["group_number"]
        if match is None:
            return {"return": GENERAL, "error": f"version was not detected ({text})", "string": text}
        if not match.lastindex or match.lastindex < number:
            return {"return": GENERAL, "error": f"the pattern {i['match_text']!r} has no group {number}"}
        i["which_env"][i["env_key"]] = match[number]
        i["which_env"][self.dialect.key("DETECTED_VERSION")] = match[number]
        return {"return": 0, "version": match[number], "string": text}
