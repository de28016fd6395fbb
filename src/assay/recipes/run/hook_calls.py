"""Calls the hooks of a recipe with the dictionary `i`. Its member `run_script_input` is the step."""

from __future__ import annotations

from assay.recipes.contract import shell
from assay.recipes.contract.flags import is_on
from assay.recipes.contract.hooks import Hooks, load_hooks
from assay.recipes.errors import GENERAL, RecipeFailed
from assay.recipes.run.call import RecipeCall
from assay.recipes.run.given import GivenArtifact, hook_input, repro_prefix
from assay.recipes.run.request import RecipeRequest
from assay.recipes.run.session import RunSession
from assay.recipes.run.walk import Walk
from assay.recipes.values import Given, Values


class HookCalls:
    """The hooks of one recipe. `step` is also the input of its native scripts."""

    def __init__(self, session: RunSession, call: RecipeCall, request: RecipeRequest, walk: Walk) -> None:
        self.session = session
        self.call = call
        self.request = request
        self.walk = walk
        self.resolved = request.resolved
        self.recipe = request.resolved.recipe
        self.step: Values = {}
        self._hooks: Hooks | None = None

    def load(self) -> None:
        """Loads the hook file again, and makes the step from the current values. Raises: RecipeFailed (1) as
        `load_hooks`, and for a recipe that is gone: without its files it would do nothing and succeed."""
        if not self.recipe.folder.is_dir():
            raise RecipeFailed(
                f"{self.recipe.folder} was removed while it was in use", GENERAL, "pull it again"
            )
        self._hooks = load_hooks(self.recipe.folder, self.session.process_state, self.session.access)
        self.step = self._step()

    def has(self, name: str) -> bool:
        return self._hooks is not None and self._hooks.has(name)

    def run(self, name: str, state: Values | None = None) -> Values:
        """Calls an existing hook and returns its answer. `state`: in place of the recipe's own. Raises: RecipeFailed
        as `Hooks.call` does, and (1) for values that cannot be kept."""
        assert self._hooks is not None
        resolved = self.resolved
        env, state = resolved.env, resolved.state if state is None else state
        arguments = {
            **self._common(),
            "env": env,
            "state": state,
            "meta": self.recipe.meta,
        }
        if name != "detect_version":
            arguments["run_script_input"] = self.step
        if name == "postprocess" and self.recipe.dialect.postprocess_gets_const:
            arguments |= {"const": resolved.const, "const_state": resolved.const_state}
        with env.written_by(f"{name} of {self.recipe.alias}"):
            answer = self._hooks.call(name, arguments)
        self._check_left(name, env, state)  # the hook may have taken them out of its dictionary
        return answer

    def _check_left(self, name: str, env: Given, state: Given) -> None:
        """Raises: RecipeFailed (1) for variables or a state that a hook left and that cannot be kept."""
        if not any(state.values()) and all(isinstance(key, str) for key in env):
            return  # as nearly always; spares the import
        from assay.recipes.contract.shape import check_left

        assert self._hooks is not None
        try:
            check_left(env, state)
        except ValueError as problem:
            step = f"{name} in {self._hooks.module.__file__}"
            raise RecipeFailed(f"{step} left what cannot be kept: {problem}", GENERAL, step=step) from problem

    def predeps(self) -> None:
        """Runs the hook before the dependencies. The file is loaded this early only if it defines that hook."""
        if not self.recipe.dialect.has_predeps or self.recipe.meta.get("predeps") is False:
            return
        path = self.recipe.folder / "customize.py"
        if path.is_file() and b"def predeps(" in path.read_bytes():
            self.load()
            self.run("predeps")
            self.resolved.fill()

    def _step(self) -> Values:
        session, resolved, flags = self.session, self.resolved, self.request.flags
        step = {
            "path": str(self.recipe.folder),
            "bat_ext": ".sh",
            "os_info": session.automation.os_info,
            "const": resolved.const,
            "state": resolved.state,
            "const_state": resolved.const_state,
            "reuse_cached": False,
            "recursion": self.call.depth > 0,
            "recursion_spaces": self.call.indent,
            "remembered_selections": session.chooser.shown,
            "tmp_file_run_state": shell.NEW_STATE_FILE,
            "tmp_file_run_env": shell.NEW_ENV_FILE,
            "tmp_file_state": shell.STATE_FILE,
            "tmp_file_run": "tmp-run",
            "local_env_keys": self.walk.hidden_keys,
            "local_env_keys_from_meta": self.recipe.meta.get("local_env_keys") or [],
            "posthook_deps": resolved.entries["posthook_deps"],
            "add_deps_recursive": resolved.adr,
            "found_script_tags": self.recipe.tags,
            "variation_tags_string": resolved.variation_tags,
            "found_cached": False,
            "debug_script_tags": flags.debug_script_tags,
            "meta": self._meta(),
            "self": session.automation,
            "run_state": self.walk.run_state,
        }
        if self._hooks is not None:
            step["customize_code"] = self._hooks.module
            step["customize_common_input"] = self._common()
        if self.recipe.dialect.step_tells_verbosity:
            step["verbose"] = session.verbose
            if not self.call.depth and is_on(self.call.inputs, "repro"):
                step["repro_prefix"] = str(
                    repro_prefix(self.recipe.dialect.name, self.call.inputs, session.folder)
                )
        if flags.ignore_script_error:
            step["ignore_script_error"] = True
        return step

    def _meta(self) -> Values:
        """The description with the current state of the lists that hooks may extend in place, such as `post_deps`."""
        meta, entries = self.recipe.meta, self.resolved.entries
        exports = {key: getattr(self.resolved, key) for key in ("new_env_keys", "new_state_keys")}
        meta.update({key: listed for key, listed in (entries | exports).items() if key in meta})
        if self.resolved.script_name:
            meta["script_name"] = self.resolved.script_name
        return meta

    def _common(self) -> Values:
        selection = self.request.selection
        return {
            "input": hook_input(self.session, self.call, self.request, self.walk.run_state),
            "automation": self.session.automation,
            "artifact": GivenArtifact(self.recipe),
            "customize": self.recipe.meta.get("customize") or {},
            "os_info": self.session.automation.os_info,
            "recursion_spaces": self.call.indent,
            "script_tags": list(selection.tags),
            "variation_tags": self.request.told_variations(),
        }
