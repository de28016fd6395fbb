"""Runs what a recipe depends on: the entries of one phase, each as a request of its own."""

from __future__ import annotations

from collections.abc import Mapping

from assay.recipes.contract.merge import copied, merge
from assay.recipes.contract.truth import is_off
from assay.recipes.errors import RecipeFault
from assay.recipes.model.conditions import applies
from assay.recipes.model.dependencies import Entry, Inheritance, local_keys
from assay.recipes.model.env import Env
from assay.recipes.model.resolve import Scope
from assay.recipes.run.call import Call, Outcome, Runs
from assay.recipes.run.given import APART, run_state
from assay.recipes.run.request import Request
from assay.recipes.run.session import Session
from assay.recipes.typing_stub import Any


class DependencyRunner:
    """The way down from one recipe. What its dependencies export goes into its env and state."""

    def __init__(self, session: Session, call: Call, request: Request, run_recipe: Runs) -> None:
        self.session = session
        self.call = call
        self.request = request
        self.run_recipe = run_recipe
        self.resolved = request.resolved
        self.meta = request.resolved.recipe.meta
        self.asked: list[str] = []  # the tags of every dependency that applied, in order
        self.run_state = run_state(session, call, request, self.asked)
        session.run_state = session.run_state or self.run_state
        self.hidden_keys = local_keys(request.resolved.recipe.dialect)

    def run(self, phase: str, *, dynamic_only: bool = False, after: bool = False) -> None:
        """Run the entries of a phase that apply. Those `after` the recipe see what its own list does not hide."""
        if after:
            hidden = list(self.meta.get("clean_env_keys_post_deps") or [])
            if dynamic_only or phase == "posthook_deps":
                hidden += self.hidden_keys
        else:
            hidden = self.hidden_keys + list(self.meta.get("local_env_keys") or [])
        self._run_entries(self.resolved.entries[phase], hidden, dynamic_only=dynamic_only)

    def run_docker_dependencies(self) -> None:
        """Inside a container: what the recipe needs there."""
        docker = self.meta.get("docker") or {}
        entries = [entry for entry in docker.get("deps") or [] if not entry.get("skip_inside_docker")]
        self._run_entries(entries, self.hidden_keys + list(self.meta.get("local_env_keys") or []))
        self.resolved.fill()

    def _run_entries(self, entries: list[Entry], hidden: list[str], *, dynamic_only: bool = False) -> None:
        resolved, env = self.resolved, self.resolved.env
        hand_down = Inheritance(hidden, resolved.choice, resolved.recipe.dialect.prefix)
        for entry in entries:
            if not entry.get("tags") or not applies(entry, env, self.request.flags.fake_run):
                continue
            if dynamic_only and not entry.get("dynamic"):
                continue
            child_env = hand_down.child_env(entry, env)
            self.asked.append(str(entry["tags"]))
            if self.session.fake_deps:
                continue
            try:
                outcome = self._run_entry(entry, child_env)
            except RecipeFault as fault:
                if not entry.get("continue_on_error"):
                    raise
                self.session.info(f"{self.call.indent}  - {entry['tags']} failed and may: {fault.message}")
                env.refresh(hand_down.remembered)
                continue
            merge_env(env, outcome.new_env, str(entry["tags"]))
            resolved.recipe.dialect.merge(resolved.state, copied(outcome.new_state))
            env.refresh(hand_down.remembered)
            resolved.fill()
            resolved.apply_const()

    def _run_entry(self, entry: Entry, child_env: Env) -> Outcome:
        resolved, flags = self.resolved, self.request.flags
        inputs: dict[str, Any] = {
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
        # As the tools leave it in the description.
        entry.update({key: {} for key in APART if isinstance(entry.get(key), dict)})
        variations = ",_".join(self.request.selection.variations)
        parent = f"{resolved.recipe}" + (f" ( {variations} )" if variations else "")
        return self.run_recipe(Call(inputs, scope, self.call.depth + 1, parent, self.run_state))


def merge_env(env: Env, new: Mapping[str, Any], writer: str) -> None:
    """Put exported values over an env: lists grow, the rest is replaced."""
    with env.written_by(writer):
        for key, value in copied(dict(new)).items():
            have = env.get(key)
            if isinstance(have, list) and isinstance(value, list):
                env[key] = have + [item for item in value if item not in have]
            else:
                env[key] = value
