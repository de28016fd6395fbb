"""The walk through a recipe and its dependencies, in CM's order. A run and a plan are its two visitors.

deps -> preprocess -> prehook_deps -> native script -> posthook_deps -> postprocess -> post_deps
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from assay.recipes.contract.merge import copied, merge
from assay.recipes.contract.truth import is_off
from assay.recipes.model.dependencies import Entry, Inheritance, local_keys, merge_env
from assay.recipes.model.env import Env
from assay.recipes.model.resolved import Scope
from assay.recipes.run.call import APART, RecipeCall, RecipeOutcome
from assay.recipes.run.request import RecipeRequest
from assay.recipes.values import Values


class Visitor(Protocol):
    """What a run or a plan does at each step of one recipe."""

    def begin(self) -> None:
        """Before the dependencies."""

    def takes(self, entry: Entry, phase: str) -> bool:
        """Whether a dependency entry applies now."""

    def answer(self, entry: Entry, phase: str, child_env: Env) -> RecipeOutcome | None:
        """The outcome of a dependency that starts with `child_env`; None when it has none."""

    def preprocess(self) -> bool:
        """After `deps`. False when the recipe asks to be skipped."""

    def native_script(self) -> None:
        """After `prehook_deps`."""

    def postprocess(self) -> None:
        """After `posthook_deps`."""


class Walk:
    """The walk through one recipe. The outcomes of its dependencies go into its env and state.

    `asked` collects the tags of every dependency that applied. Each of them gets `run_state`.
    """

    def __init__(
        self,
        call: RecipeCall,
        request: RecipeRequest,
        visitor: Visitor,
        asked: list[str],
        run_state: Values,
    ) -> None:
        self.call = call
        self.request = request
        self.visitor = visitor
        self.asked = asked
        self.run_state = run_state
        self.resolved = request.resolved
        self.meta = request.resolved.recipe.meta
        self.hidden_keys = local_keys(request.resolved.dialect)

    def make(self) -> bool:
        """Walks all phases. False when the recipe's own hook asks to skip it. A fake run ends before the native
        script."""
        self.visitor.begin()
        self.phase("deps")
        self.resolved.fill()
        if not self.visitor.preprocess():
            return False
        self.phase("prehook_deps")
        if not self.request.flags.fake_run:
            self.visitor.native_script()
            self.phase("posthook_deps")
            self.visitor.postprocess()
            self.phase("post_deps")
        return True

    def reuse(self, load: Callable[[], None]) -> None:
        """Walks with a cache entry instead of hooks and script. Calls `load` between the dependencies; only those
        marked `dynamic` run."""
        self.phase("deps", from_cache=True)
        self.resolved.fill()
        self.phase("prehook_deps", from_cache=True)
        load()
        self.phase("posthook_deps", from_cache=True)
        self.phase("post_deps", from_cache=True)

    def phase(self, name: str, *, from_cache: bool = False) -> None:
        """Runs the entries of one list that apply."""
        entries = [e for e in self.resolved.entries[name] if not from_cache or e.get("dynamic")]
        self._entries(name, entries, self._hidden(name, from_cache))

    def docker_dependencies(self) -> None:
        """Runs the dependencies that the recipe needs inside a container."""
        docker = self.meta.get("docker") or {}
        entries = [entry for entry in docker.get("deps") or [] if not entry.get("skip_inside_docker")]
        self._entries("docker deps", entries, self._hidden("deps", from_cache=False))
        self.resolved.fill()

    def _hidden(self, phase: str, from_cache: bool) -> list[str]:
        """Patterns of the variables that dependencies do not see. For the last phases the recipe's
        `clean_env_keys_post_deps` decides."""
        if phase == "post_deps" or (phase == "posthook_deps" and from_cache):
            return [
                *(self.meta.get("clean_env_keys_post_deps") or []),
                *(self.hidden_keys if from_cache else []),
            ]
        return [*self.hidden_keys, *(self.meta.get("local_env_keys") or [])]

    def _entries(self, phase: str, entries: list[Entry], hidden: list[str]) -> None:
        resolved, env = self.resolved, self.resolved.env
        inheritance = Inheritance(hidden, resolved.choice, resolved.dialect)
        for entry in entries:
            if not entry.get("tags") or not self.visitor.takes(entry, phase):
                continue
            child_env = inheritance.child_env(entry, env)
            self.asked.append(str(entry["tags"]))
            outcome = self.visitor.answer(entry, phase, child_env)
            if outcome is not None:
                merge_env(env, outcome.new_env, str(entry["tags"]))
                resolved.dialect.merge(resolved.state, copied(outcome.new_state))
            env.refresh(inheritance.remembered)
            if outcome is not None:
                resolved.fill()
                resolved.apply_const()

    def child(self, entry: Entry, child_env: Env) -> RecipeCall:
        """The call for a dependency entry."""
        resolved, flags = self.resolved, self.request.flags
        inputs: Values = {
            "action": "run",
            "automation": "script",
            "add_deps_recursive": resolved.adr,
            "debug_script_tags": flags.debug_script_tags,
            "time": flags.time,
        }
        merge(inputs, {key: entry[key] for key in entry if key not in APART})
        inputs["add_deps_recursive"] = inputs["add_deps_recursive"] or {}  # an entry may leave it empty
        lifetime = self.request.cache_expiration()
        if lifetime and not is_off(entry.get("inherit_cache_expiration", "")):
            inputs["cache_expiration"] = inputs.get("cache_expiration") or lifetime
        scope = Scope(
            child_env,
            copied(resolved.state),
            copied(resolved.const),
            copied(resolved.const_state),
            inputs["add_deps_recursive"],
        )
        inputs.update({f"local_{key}": entry.get(key) or {} for key in APART})
        # The tools leave these members empty in the description.
        entry.update({key: {} for key in APART if isinstance(entry.get(key), dict)})
        variations = ",_".join(self.request.selection.variations)
        parent = f"{resolved.recipe}" + (f" ( {variations} )" if variations else "")
        return RecipeCall(inputs, scope, self.call.depth + 1, parent, self.run_state)
