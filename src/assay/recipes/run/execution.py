"""Runs one resolved recipe: the code for each step of the walk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from assay.recipes.contract import shell
from assay.recipes.contract.merge import copied, merge
from assay.recipes.contract.secrets import hidden
from assay.recipes.errors import RecipeFault
from assay.recipes.model.conditions import applies
from assay.recipes.model.dependencies import Entry
from assay.recipes.model.env import Env, exported
from assay.recipes.model.resolve import apply_default_version
from assay.recipes.model.resolved import Scope
from assay.recipes.model.versions import pip_requirement
from assay.recipes.run.call import RecipeCall, RecipeOutcome, Runs
from assay.recipes.run.given import run_state
from assay.recipes.run.hook_calls import HookCalls
from assay.recipes.run.request import RecipeRequest
from assay.recipes.run.session import RunSession
from assay.recipes.run.walk import Walk
from assay.recipes.values import Given, Values


class Before(NamedTuple):
    """Copies of the caller's env and state before the call. The recipe's outcome overrides them."""

    env: Values
    state: Values


class Execution:
    """The run of one recipe."""

    def __init__(
        self, session: RunSession, call: RecipeCall, request: RecipeRequest, before: Before, run_recipe: Runs
    ) -> None:
        self.session = session
        self.call = call
        self.request = request
        self.before = before
        self.run_recipe = run_recipe
        self.resolved = request.resolved
        self.recipe = request.resolved.recipe
        self.env: Env = request.resolved.env
        asked: list[str] = []
        state = run_state(session, call, request, asked)
        session.run_state = session.run_state or state
        self.walk = Walk(call, request, self, asked, state)
        self.hooks = HookCalls(session, call, request, self.walk)
        self._instead: Values = {}  # the recipe to run when the hook wants this one skipped
        self.version = request.resolved.versions.version
        self.tags: list[str] = []  # tags of the new cache entry

    def key(self, name: str) -> str:
        """The name of a variable with the dialect's prefix."""
        return self.recipe.dialect.key(name)

    def make_here(self) -> RecipeOutcome:
        """Runs a recipe without caching, in the current folder, and cleans up."""
        here = Path.cwd()
        for path in self.recipe.meta.get("clean_output_files") or []:
            Path(path).unlink(missing_ok=True)
        try:
            outcome = self.make()
        finally:
            os.chdir(here)
        if not (self.request.flags.dirty or self.request.flags.shell):
            self.clean()
        return outcome

    def make(self) -> RecipeOutcome:
        """Runs all steps in the current folder."""
        return self.outcome() if self.walk.make() else self._skipped(self._instead)

    # ------------------------------------------------------------------ the steps of the walk

    def begin(self) -> None:
        """Prints warnings, applies the default version, and runs the hook before the dependencies."""
        resolved, flags = self.resolved, self.request.flags
        for warning in resolved.warnings:
            self.session.info(f"{self.call.indent}  WARNING: {warning}")
        if not self.version:
            self.version = apply_default_version(resolved, self.call.inputs)
            self._tag_version(self.version)
        self.env[self.key("TMP_CURRENT_SCRIPT_PATH")] = str(self.recipe.folder)
        if not flags.fake_run:
            self.hooks.predeps()
        if flags.docker_run_deps:
            self.walk.docker_dependencies()

    def takes(self, entry: Entry, phase: str) -> bool:
        """Whether the conditions of a dependency entry hold."""
        return applies(entry, self.env, self.request.flags.fake_run)

    def answer(self, entry: Entry, phase: str, child_env: Env) -> RecipeOutcome | None:
        """Runs a dependency. None with `--fake_deps`, or when it failed and may. Raises: RecipeFault when it fails
        and the entry has no `continue_on_error`."""
        if self.session.fake_deps:
            return None
        try:
            return self.run_recipe(self.walk.child(entry, child_env))
        except RecipeFault as fault:
            if not entry.get("continue_on_error"):
                raise
            self.session.info(f"{self.call.indent}  - {entry['tags']} failed and may: {fault.message}")
            return None

    def preprocess(self) -> bool:
        """Runs the hook `preprocess`. False when its answer has `skip`."""
        resolved, flags = self.resolved, self.request.flags
        self.clean()
        self.hooks.load()
        resolved.apply_const()
        with self.env.written_by("runner"):
            requirement = pip_requirement(self.env, self.recipe.dialect.prefix)
            self.env[self.key("TMP_PIP_VERSION_STRING")] = requirement
        if self.hooks.has("preprocess") and not flags.fake_run:
            answer = self.hooks.run("preprocess")
            if answer.get("skip"):
                self._instead = answer.get("script") or {}
                return False
            self._take_tags(answer)  # the version comes later: the native script may find another
        if flags.print_env:
            self.session.debug(_as_text(self.env))
        return True

    def native_script(self) -> None:
        """Runs the native script of the recipe's folder, if there is one."""
        self._map_env_keys()
        step = self.hooks.step
        step["env"], step["state"] = self.env, self.resolved.state
        self.resolved.apply_const()
        with self.env.written_by(f"native script of {self.recipe.alias}"):
            self.session.scripts.run(step)
        if self.hooks.has("postprocess"):
            path = self.recipe.folder / "customize.py"
            self.session.info(f'{self.call.indent}       ! call "postprocess" from {path}')

    def postprocess(self) -> None:
        """Runs the hook `postprocess`, if there is one."""
        if self.hooks.has("postprocess"):
            self.resolved.apply_const()
            answer = self.hooks.run("postprocess")
            self.version = str(answer.get("version") or self.version)
            self._take_tags(answer)

    # ------------------------------------------------------------------ what comes of it

    def outcome(self, *, skipped: bool = False) -> RecipeOutcome:
        """The values that the recipe exports, and the caller's values overridden by them."""
        self.resolved.apply_const()
        inputs, resolved = self.call.inputs, self.resolved
        new_env = exported(self.env, inputs.get("force_new_env_keys") or resolved.new_env_keys)
        new_state = exported(resolved.state, inputs.get("force_new_state_keys") or resolved.new_state_keys)
        return self._over_before(
            RecipeOutcome(new_env, new_state, {}, {}, self.walk.asked, self.version, skipped)
        )

    def clean(self) -> None:
        """Removes the recipe's working files from the current folder."""
        shell.clean([*(self.recipe.meta.get("clean_files") or []), *shell.WORKING_FILES])

    def tag(self, tags: Iterable[str]) -> None:
        """Adds tags for the cache entry."""
        self.tags += [tag for tag in dict.fromkeys(tags) if tag not in self.tags]

    def _tag_version(self, version: str) -> None:
        if version:
            self.tags = [tag for tag in self.tags if not tag.startswith("version-")]
            self.tag([f"version-{version}"])

    def _over_before(self, outcome: RecipeOutcome) -> RecipeOutcome:
        env = merge(copied(self.before.env), copied(outcome.new_env))
        state = self.recipe.dialect.merge(copied(self.before.state), copied(outcome.new_state))
        return outcome._replace(env=env, state=state)

    def _skipped(self, other: Values) -> RecipeOutcome:
        """The hook asked to skip this recipe. Runs the recipe `other` instead, if it named one."""
        if not other:
            return self.outcome(skipped=True)
        os.chdir(self.session.folder if self.call.depth == 0 else self.env[self.key("TMP_CURRENT_PATH")])
        resolved = self.resolved
        scope = Scope(
            Env(self.env),
            copied(resolved.state),
            dict(resolved.const),
            dict(resolved.const_state),
            resolved.adr,
        )
        inputs = {"action": "run", "automation": "script", **other}
        outcome = self.run_recipe(RecipeCall(inputs, scope, self.call.depth + 1, self.call.parent))
        return self._over_before(outcome._replace(skipped=True))

    def _map_env_keys(self) -> None:
        for prefix, new_prefix in (self.recipe.meta.get("env_key_mappings") or {}).items():
            for key in [key for key in self.env if key.startswith(prefix)]:
                self.env[key.replace(prefix, new_prefix)] = self.env[key]

    def _take_tags(self, answer: Given) -> None:
        self._tag_version(str(answer.get("version") or ""))
        self.tag(answer.get("add_extra_cache_tags") or [])


def _as_text(values: Given) -> str:
    import json

    return json.dumps(hidden(values), indent=2, sort_keys=True, default=str)
