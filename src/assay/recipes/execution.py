"""Runs one resolved recipe: dependencies, hooks and native script in their order, or its cache entry instead.

    deps -> preprocess -> prehook_deps -> native script -> posthook_deps -> postprocess -> post_deps

A cache entry is loaded in place of hooks and script; only dependencies marked `dynamic` run then.
"""

from __future__ import annotations

import contextlib
import copy
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.recipes.conditions import applies
from assay.recipes.contract import shell
from assay.recipes.contract.flags import Flags
from assay.recipes.contract.hooks import Hooks, load_hooks
from assay.recipes.dependencies import LOCAL_KEYS, Entry, HandDown
from assay.recipes.env import Env, exported
from assay.recipes.errors import RecipeFailed, RecipeFault
from assay.recipes.expiry import seconds
from assay.recipes.merge import merge
from assay.recipes.resolve import ResolvedRecipe, Scope, apply_default_version
from assay.recipes.selection import Selection
from assay.recipes.session import Session
from assay.recipes.store import EXPIRY_FIELD, KEY_FIELD, CacheEntry, CacheKey, Staged
from assay.recipes.versions import pip_requirement


@dataclass
class Call:
    """One request for a recipe: by the user, or by another recipe."""

    inputs: dict[str, Any]
    scope: Scope
    depth: int = 0
    parent: str | None = None

    @property
    def indent(self) -> str:
        return "  " * self.depth


@dataclass
class Outcome:
    """What a recipe hands back. `env` and `state` are those of the caller with the new ones over them."""

    new_env: dict[str, Any]
    new_state: dict[str, Any]
    env: dict[str, Any]
    state: dict[str, Any]
    deps: list[str] = field(default_factory=list)
    version: str = ""
    skipped: bool = False


Runs = Callable[[Call], Outcome]


@dataclass
class Execution:
    """The run of one recipe; lives as long as that."""

    session: Session
    call: Call
    flags: Flags
    selection: Selection
    resolved: ResolvedRecipe
    saved_env: dict[str, Any]
    saved_state: dict[str, Any]
    run_recipe: Runs
    key: Callable[[], CacheKey]
    deps: list[str] = field(default_factory=list)
    cached_tags: list[str] = field(default_factory=list)
    version: str = ""
    hooks: Hooks | None = None
    cached: bool = False

    def __post_init__(self) -> None:
        self.recipe = self.resolved.recipe
        self.env: Env = self.resolved.env
        self.state = self.resolved.state
        self.inputs: Mapping[str, Any] = self.call.inputs
        self.env_key = self.recipe.dialect.key
        self.version = self.resolved.versions.version
        self.step: dict[str, Any] = {}

    # ------------------------------------------------------------------ cache

    def reuse(self, entry: CacheEntry) -> None:
        """Take the env and state of a cache entry in place of running the recipe."""
        self.cached = True
        self.run_dependencies("deps", dynamic_only=True)
        self.resolved.fill()
        self.run_dependencies("prehook_deps", dynamic_only=True)
        kept = self.session.store.state(entry)
        self.version = str(kept.get("version") or "")
        state_file = entry.path / self.recipe.dialect.cached_state_file
        self.session.info(f"{self.call.indent}     ! load {state_file}")
        with self.env.written_by(f"cache entry {entry.artifact.uid}"):
            merge(self.env, copy.deepcopy(kept["new_env"]))
        merge(self.state, copy.deepcopy(kept.get("new_state") or {}))
        if not self.flags.fake_run:
            self.run_dependencies("posthook_deps", dynamic_only=True, after=True)
            self.run_dependencies("post_deps", dynamic_only=True, after=True)

    def make(self, staged: Staged | None) -> Outcome | None:
        """Run the recipe, in its new cache entry or in the current folder; an Outcome when it was skipped."""
        for warning in self.resolved.warnings:
            self.session.info(f"{self.call.indent}  WARNING: {warning}")
        self._prepare_version()
        self.env[self.env_key("TMP_CURRENT_SCRIPT_PATH")] = str(self.recipe.folder)
        self._predeps()
        if self.flags.docker_run_deps:
            self._run_docker_dependencies()
        self.run_dependencies("deps")
        self.resolved.fill()
        shell.clean(self._files_to_clean())
        self._load_hooks()
        self.resolved.apply_const()
        with self.env.written_by("runner"):
            self.env[self.env_key("TMP_PIP_VERSION_STRING")] = pip_requirement(
                self.env, self.recipe.dialect.prefix
            )
        if self.hooks and self.hooks.has("preprocess") and not self.flags.fake_run:
            skipped = self._preprocess()
            if skipped:
                return skipped
        if self.flags.print_env:
            self.session.debug(_as_text(self.env))
        self.run_dependencies("prehook_deps")
        if not self.flags.fake_run:
            self._map_env_keys()
            self._native_and_postprocess()
            self.run_dependencies("post_deps", after=True)
        if staged:
            self._add_tags_from_env()
        return None

    def commit(
        self, staged: Staged, new_env: dict[str, Any], new_state: dict[str, Any], env: dict[str, Any]
    ) -> None:
        """Make the staged folder an entry."""
        dialect = self.recipe.dialect
        shell.write_script(staged.folder / shell.ALL_ENV_FILE, [*shell.SHEBANG, *shell.export_lines(env)])
        shell.write_script(staged.folder / shell.ENV_FILE, [*shell.SHEBANG, *shell.export_lines(new_env)])
        description: dict[str, Any] = {
            "tags": list(
                dict.fromkeys([*self.cached_tags, dialect.owner_tag + self.recipe.uid, *self.recipe.tags])
            ),
            dialect.owner_key: self.recipe.owner,
            dialect.owner_key + "_uid": self.recipe.uid,
            KEY_FIELD: self.key().as_json(),
        }
        lifetime = seconds(self.inputs.get("cache_expiration") or self.resolved.cache_expiration)
        if lifetime:
            description[EXPIRY_FIELD] = time.time() + lifetime
        version = str(
            self.env.get(self.env_key("DETECTED_VERSION")) or self.env.get(self.env_key("VERSION")) or ""
        )
        if version:
            description["version"] = version
        base = str(self.env.get(self.env_key("GET_DEPENDENT_CACHED_PATH")) or "")
        if base and Path(base).is_dir() and not Path(base).samefile(staged.folder):
            description["dependent_cached_path"] = base
        staged.commit(
            description,
            {
                "new_env": new_env,
                "new_state": new_state,
                "deps": self.resolved.entries["deps"],
                "version": self.version,
            },
        )

    # ------------------------------------------------------------------ parts of a run

    def _prepare_version(self) -> None:
        if self.version:
            return
        self.version = apply_default_version(self.resolved, self.inputs)
        if self.version:
            self._tag(f"version-{self.version}")

    def _tag(self, *tags: str) -> None:
        self.cached_tags += [tag for tag in tags if tag not in self.cached_tags]

    def _tag_version(self, version: str) -> None:
        if version:
            self.cached_tags = [tag for tag in self.cached_tags if not tag.startswith("version-")]
            self._tag(f"version-{version}")

    def _files_to_clean(self) -> list[str]:
        return [*(self.recipe.meta.get("clean_files") or []), *shell.WORKING_FILES]

    def _load_hooks(self) -> None:
        session = self.session
        self.hooks = load_hooks(self.recipe.folder, session.workbench, session.access)
        self.step = {
            "path": str(self.recipe.folder),
            "bat_ext": ".sh",
            "os_info": session.automation.os_info,
            "const": self.resolved.const,
            "state": self.state,
            "const_state": self.resolved.const_state,
            "reuse_cached": False,
            "recursion": self.call.depth > 0,
            "recursion_spaces": self.call.indent,
            "remembered_selections": [],
            "tmp_file_run_state": shell.NEW_STATE_FILE,
            "tmp_file_run_env": shell.NEW_ENV_FILE,
            "tmp_file_state": shell.STATE_FILE,
            "tmp_file_run": "tmp-run",
            "local_env_keys": self._hidden_keys(),
            "local_env_keys_from_meta": self.recipe.meta.get("local_env_keys") or [],
            "posthook_deps": self.resolved.entries["posthook_deps"],
            "add_deps_recursive": self.resolved.adr,
            "found_script_tags": self.recipe.tags,
            "variation_tags_string": self.resolved.variation_tags,
            "found_cached": False,
            "debug_script_tags": self.flags.debug_script_tags,
            "verbose": self.flags.verbose,
            "meta": self._meta_for_hooks(),
            "self": session.automation,
            "env": self.env,
            "customize_code": self.hooks,
            "customize_common_input": self._hook_input(),
            "run_state": {"deps": self.deps, "tmp_silent": session.silent, "fake_deps": session.fake_deps},
        }
        if self.flags.ignore_script_error:
            self.step["ignore_script_error"] = True
        wanted = [tag for tag in self.flags.debug_script_tags.split(",") if tag]
        self.step["keep_script"] = bool(wanted) and set(wanted) <= set(self.recipe.tags)

    def _predeps(self) -> None:
        """MLC's hook before the dependencies; the file is loaded early only when it has one."""
        path = self.recipe.folder / "customize.py"
        if (
            self.recipe.dialect.name != "mlc"
            or self.recipe.meta.get("predeps") is False
            or self.flags.fake_run
        ):
            return
        if path.is_file() and b"def predeps(" in path.read_bytes():
            self._load_hooks()
            self._call_hook("predeps")
            self.resolved.fill()

    def _meta_for_hooks(self) -> dict[str, Any]:
        """The description with the lists that hooks extend in place, such as `post_deps`, as they stand now."""
        meta = self.recipe.meta
        meta.update(
            {phase: entries for phase, entries in self.resolved.entries.items() if entries or phase in meta}
        )
        if self.resolved.script_name:
            meta["script_name"] = self.resolved.script_name
        return meta

    def _hook_input(self) -> dict[str, Any]:
        plain = {key: value for key, value in self.inputs.items() if key not in ("env", "state")}
        return {
            "input": {**copy.deepcopy(plain), "env": self.env, "state": self.state},
            "automation": self.session.automation,
            "artifact": self.recipe,
            "customize": self.recipe.meta.get("customize") or {},
            "os_info": self.session.automation.os_info,
            "recursion_spaces": self.call.indent,
            "script_tags": list(self.selection.tags),
            "variation_tags": list(self.selection.variations),
        }

    def _call_hook(self, name: str) -> dict[str, Any]:
        assert self.hooks is not None
        arguments = {
            **self._hook_input(),
            "env": self.env,
            "state": self.state,
            "const": self.resolved.const,
            "const_state": self.resolved.const_state,
            "meta": self.recipe.meta,
            "run_script_input": self.step,
        }
        with self.env.written_by(f"{name} of {self.recipe.alias}"):
            return self.hooks.call(name, arguments)

    def _preprocess(self) -> Outcome | None:
        answer = self._call_hook("preprocess")
        if answer.get("skip"):
            return self._skip(answer.get("script") or {})
        self._tag_version(str(answer.get("version") or ""))
        self._tag(*answer.get("add_extra_cache_tags") or [])
        return None

    def _skip(self, other: dict[str, Any]) -> Outcome:
        """The recipe wants nothing done, or another recipe run in its place."""
        if not other:
            return self.outcome(skipped=True)
        os.chdir(self.session.folder if self.call.depth == 0 else self._start)
        scope = Scope(
            Env(self.env),
            copy.deepcopy(self.state),
            dict(self.resolved.const),
            dict(self.resolved.const_state),
            self.resolved.adr,
        )
        inputs = {"action": "run", "automation": "script", **other}
        outcome = self.run_recipe(Call(inputs, scope, self.call.depth + 1, self.call.parent))
        env = merge(copy.deepcopy(self.saved_env), copy.deepcopy(outcome.new_env))
        state = merge(copy.deepcopy(self.saved_state), copy.deepcopy(outcome.new_state))
        return Outcome(
            outcome.new_env, outcome.new_state, env, state, outcome.deps, outcome.version, skipped=True
        )

    @property
    def _start(self) -> str:
        return str(self.env[self.env_key("TMP_CURRENT_PATH")])

    def _map_env_keys(self) -> None:
        for prefix, new_prefix in (self.recipe.meta.get("env_key_mappings") or {}).items():
            for key in [key for key in self.env if key.startswith(prefix)]:
                self.env[key.replace(prefix, new_prefix)] = self.env[key]

    def _native_and_postprocess(self) -> None:
        self.step["env"], self.step["state"] = self.env, self.state
        self.resolved.apply_const()
        with self.env.written_by(f"native script of {self.recipe.alias}"):
            self.session.scripts.run(self.step)
        has_postprocess = self.hooks is not None and self.hooks.has("postprocess")
        if has_postprocess:
            self.session.info(
                f'{self.call.indent}       ! call "postprocess" from {self.recipe.folder}/customize.py'
            )
        self.run_dependencies("posthook_deps")
        if not has_postprocess:
            return
        self.resolved.apply_const()
        answer = self._call_hook("postprocess")
        if answer.get("version"):
            self.version = str(answer["version"])
            self._tag_version(self.version)
        self._tag(*answer.get("add_extra_cache_tags") or [])

    def _add_tags_from_env(self) -> None:
        self._tag(*tags_from_env(self.recipe.meta, self.env))

    # ------------------------------------------------------------------ dependencies

    def _hidden_keys(self) -> list[str]:
        return [self.env_key(name) for name in LOCAL_KEYS]

    def run_dependencies(self, phase: str, *, dynamic_only: bool = False, after: bool = False) -> None:
        """Run the entries of a phase that apply. Those `after` the recipe see what its own list does not hide."""
        meta = self.recipe.meta
        if after:
            hidden = list(meta.get("clean_env_keys_post_deps") or [])
            if dynamic_only or phase == "posthook_deps":
                hidden += self._hidden_keys()
        else:
            hidden = self._hidden_keys() + list(meta.get("local_env_keys") or [])
        entries = self.resolved.entries[phase]
        self._run_entries(entries, hidden, dynamic_only=dynamic_only)

    def _run_docker_dependencies(self) -> None:
        docker = self.recipe.meta.get("docker") or {}
        entries = [entry for entry in docker.get("deps") or [] if not entry.get("skip_inside_docker")]
        self._run_entries(entries, self._hidden_keys() + list(self.recipe.meta.get("local_env_keys") or []))
        self.resolved.fill()

    def _run_entries(self, entries: list[Entry], hidden: list[str], *, dynamic_only: bool = False) -> None:
        hand_down = HandDown(hidden, self.resolved.choice, self.recipe.dialect.prefix)
        for entry in entries:
            if not entry.get("tags") or not applies(entry, self.env, self.flags.fake_run):
                continue
            if dynamic_only and not entry.get("dynamic"):
                continue
            child_env = hand_down.child_env(entry, self.env)
            self.deps.append(str(entry["tags"]))
            if self.session.fake_deps:
                continue
            try:
                outcome = self._run_entry(entry, child_env)
            except RecipeFault as fault:
                if not entry.get("continue_on_error"):
                    raise
                self.session.info(f"{self.call.indent}  - {entry['tags']} failed and may: {fault.message}")
                self.env.refresh(hand_down.remembered)
                continue
            merge_env(self.env, outcome.new_env, f"{entry['tags']}")
            merge(self.state, copy.deepcopy(outcome.new_state))
            self.env.refresh(hand_down.remembered)
            self.resolved.fill()
            self.resolved.apply_const()

    def _run_entry(self, entry: Entry, child_env: Env) -> Outcome:
        inputs: dict[str, Any] = {
            "action": "run",
            "automation": "script",
            "add_deps_recursive": self.resolved.adr,
            "debug_script_tags": self.flags.debug_script_tags,
            "time": self.flags.time,
        }
        own = {key: entry[key] for key in entry if key not in ("env", "state", "const", "const_state")}
        merge(inputs, own)
        scope = Scope(
            child_env,
            copy.deepcopy(self.state),
            copy.deepcopy(self.resolved.const),
            copy.deepcopy(self.resolved.const_state),
            inputs["add_deps_recursive"],
        )
        inputs["local"] = {key: entry.get(key) or {} for key in ("env", "state", "const", "const_state")}
        variations = ",_".join(self.selection.variations)
        parent = f"{self.recipe}" + (f" ( {variations} )" if variations else "")
        return self.run_recipe(Call(inputs, scope, self.call.depth + 1, parent))

    # ------------------------------------------------------------------ result

    def outcome(self, *, skipped: bool = False) -> Outcome:
        """The values the recipe exports, and the caller's own with these over them."""
        self.resolved.apply_const()
        new_env = exported(self.env, self.inputs.get("force_new_env_keys") or self.resolved.new_env_keys)
        new_state = exported(
            self.state, self.inputs.get("force_new_state_keys") or self.resolved.new_state_keys
        )
        return Outcome(
            new_env=new_env,
            new_state=new_state,
            env=merge(copy.deepcopy(self.saved_env), copy.deepcopy(new_env)),
            state=merge(copy.deepcopy(self.saved_state), copy.deepcopy(new_state)),
            deps=self.deps,
            version=self.version,
            skipped=skipped,
        )

    def failed(self, fault: RecipeFault, staged: Staged | None) -> RecipeFault:
        """The same failure with the recipe's name and the folder where the pieces can be read."""
        kept = None
        if staged:
            os.chdir(self._start)
            with contextlib.suppress(OSError):
                kept = staged.discard(self.recipe.alias)
        if isinstance(fault, RecipeFailed) and kept and fault.kept is None:
            fault.kept = kept
            fault.hint = "; ".join(filter(None, [fault.hint, f"what it left is in {kept}"]))
        return fault


def merge_env(env: Env, new: Mapping[str, Any], writer: str) -> None:
    """Put exported values over an env: lists grow, the rest is replaced."""
    with env.written_by(writer):
        for key, value in copy.deepcopy(dict(new)).items():
            have = env.get(key)
            if isinstance(have, list) and isinstance(value, list):
                env[key] = have + [item for item in value if item not in have]
            else:
                env[key] = value


def tags_from_env(meta: Mapping[str, Any], env: Mapping[str, Any]) -> list[str]:
    """`deps-<prefix><part>` for the variables that are part of a recipe's cache tags."""
    tags = []
    for item in meta.get("extra_cache_tags_from_env") or []:
        value = str(env.get(item["env"], "")).strip()
        tags += [f"deps-{item.get('prefix', '')}{part}" for part in value.split(",") if value]
    return list(dict.fromkeys(tags))


def _as_text(values: Mapping[str, Any]) -> str:
    import json

    return json.dumps(dict(values), indent=2, sort_keys=True, default=str)
