"""ResolvedRecipe: a recipe with its choices made, the values that it has, and how blocks of a recipe change them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.recipes.contract import secrets
from assay.recipes.contract.merge import copied, merge
from assay.recipes.contract.truth import is_off
from assay.recipes.errors import RecipeFault
from assay.recipes.model.conditions import applies
from assay.recipes.model.dependencies import Entry, additions, append_entries, update_named
from assay.recipes.model.env import USER_RUN_DIR, Env
from assay.recipes.model.recipe import PHASES, Recipe
from assay.recipes.model.template import filled
from assay.recipes.model.variations import Choice
from assay.recipes.model.versions import Versions
from assay.recipes.values import Given, Values

State = Values


class Scope:
    """The values that a recipe gets from its caller. `adr` is one dictionary for the whole run, as in CM."""

    def __init__(
        self,
        env: Env,
        state: State | None = None,
        const: Values | None = None,
        const_state: State | None = None,
        adr: Values | None = None,
    ) -> None:
        self.env = env
        self.state: State = {} if state is None else state
        self.const: Values = {} if const is None else const
        self.const_state: State = {} if const_state is None else const_state
        self.adr: Values = {} if adr is None else adr


class ResolvedRecipe:
    """A recipe with all choices made. `env.origin` names the writer of every value."""

    def __init__(self, recipe: Recipe, choice: Choice, scope: Scope) -> None:
        meta = recipe.meta
        self.recipe = recipe
        self.choice = choice
        self.versions = Versions()
        self.env = scope.env
        self.state = scope.state
        self.const = scope.const
        self.const_state = scope.const_state
        self.adr = scope.adr
        self.entries: dict[str, list[Entry]] = {phase: list(meta.get(phase) or []) for phase in PHASES}
        self.new_env_keys = list(meta.get("new_env_keys") or [])
        self.new_state_keys = list(meta.get("new_state_keys") or [])
        self.cache_expiration = str(meta.get("cache_expiration") or "")
        self.script_name = str(meta.get("script_name") or "").strip()
        self.default_version = str(meta.get("default_version") or "")
        self.warnings: list[str] = list(meta.get("warnings") or [])
        self.conditional: list[Values] = []
        self.dialect = recipe.dialect
        self.docker: Values = {}
        self.caches: bool | None = None  # set by a variation; None = the recipe decides

    @property
    def variation_tags(self) -> str:
        """The applied variations as tags: `_a,_b`."""
        return ",".join(f"_{name}" for name in self.choice.applied)

    def fill(self) -> None:
        """Replaces the placeholders that have values now."""
        self.env.refresh(filled(self.env, self.env))
        self.env.refresh(_authorised_url(self.env, self.dialect.prefix))
        _check_lists(self.env)

    def apply_const(self) -> None:
        """Sets the constants, which override everything. Called again after each change."""
        with self.env.written_by("const"):
            self.env.update(self.const)
        self.dialect.merge(self.state, copied(self.const_state))

    def apply(self, block: Given, writer: str, inputs: Given) -> None:
        """Applies one block (a variation, a combination, a version) over the current values.

        Raises: RecipeFault (1) when its `ad` names a dependency that no list has.
        """
        with self.env.written_by(writer):
            for key, value in (block.get("default_env") or {}).items():
                self.env.setdefault(key, value)
            self.set_env(block.get("env") or {})
            self.apply_conditional(block)
            if block.get("const"):
                self.const.update(block["const"])
                self.apply_const()
            over = self.dialect.merge
            over(self.state, block.get("state") or {})
            if self.const_state:
                over(self.const_state, block.get("const_state") or {})
                over(self.state, self.const_state)
            for phase in PHASES:
                append_entries(self.entries[phase], block.get(phase) or [])
            self.add_to_dependencies(additions(block, "ad", "add_deps"))
            self.map_inputs(self.env, inputs, block.get("input_mapping") or {})
        self.fill()
        self.set_docker(block)
        self.new_env_keys.extend(block.get("new_env_keys") or [])
        self.new_state_keys.extend(block.get("new_state_keys") or [])
        self.script_name = block.get("script_name") or self.script_name
        self.cache_expiration = str(block.get("cache_expiration") or self.cache_expiration)
        if self.dialect.variation_decides_cache and block.get("cache", "") != "":
            self.caches = not is_off(block["cache"])
        if block.get("warning"):
            self.warnings.append(str(block["warning"]))

    def set_env(self, values: Given) -> None:
        """Sets the env of a recipe or a block over the current values."""
        for key, value in values.items():
            self.env[key] = self.dialect.env_value(self.env.get(key), value)

    def set_docker(self, block: Given) -> None:
        """Merges the container settings of a block."""
        merge(self.docker, block.get("docker") or {})
        if self.dialect.docker_in_state:
            self.state["docker"] = self.docker

    def apply_conditional(self, block: Given) -> None:
        """Applies `update_meta_if_env` of a block and of the blocks before it."""
        self.conditional = self.dialect.in_order(self.conditional, block.get("update_meta_if_env") or [])
        for entry in self.conditional:
            self._apply_conditional(entry)

    def _apply_conditional(self, entry: Given) -> None:
        if not applies(entry, self.env):
            return
        merged = merge(dict(self.env), copied(entry.get("env") or {}))
        self.env.update({key: merged[key] for key in entry.get("env") or {}})
        for key, value in (entry.get("default_env") or {}).items():
            self.env.setdefault(key, value)
        if self.dialect.conditions_set_const:
            self.const.update(entry.get("const") or {})
        self.dialect.merge(self.state, entry.get("state") or {})
        self.set_docker(entry)

    def add_to_dependencies(self, named: Values) -> None:
        """Applies an `ad`. Raises: RecipeFault (1) when each of the four lists lacks a name of it."""
        if not named:
            return
        missing = [update_named(self.entries[phase], named, self.env, strict=True) for phase in PHASES]
        if all(missing):
            names = sorted(
                {name for phase in PHASES for e in self.entries[phase] for name in e.get("names") or []}
            )
            raise RecipeFault(
                f"{missing[0]} is not one of the dependency names of {self.recipe.alias}",
                1,
                f"its dependencies have the names {', '.join(names)}"
                if names
                else "its dependencies have no names",
            )

    def map_inputs(self, target: Values, inputs: Given, mapping: Mapping[str, str]) -> None:
        """Sets the variables that a block maps inputs to. Inputs described as `is_path` become absolute (MLC)."""
        described = self.recipe.meta.get("input_description") or {}
        base = str(self.env.get(USER_RUN_DIR) or "")
        secrets.learn(mapping)
        for name, key in mapping.items():
            if name in inputs:
                about = described.get(name)
                is_path = isinstance(about, dict) and not is_off(about.get("is_path", ""))
                target[key] = _absolute(inputs[name], base) if is_path and base else inputs[name]

    def add_recursively(self, named: Given, env: Given | None = None) -> None:
        """Applies an `adr` to the four lists. Names that are absent here may be those of deeper dependencies."""
        for phase in PHASES:
            update_named(self.entries[phase], named, self.env if env is None else env)


def _absolute(value: Any, base: str) -> Any:
    """A path relative to `base` as an absolute path, with `~` expanded. A value that is not a text is unchanged."""
    return os.path.normpath(Path(base) / Path(value).expanduser()) if isinstance(value, str) else value


def _authorised_url(env: Given, prefix: str) -> dict[str, str]:
    """The git URL with the user's token, or in ssh form, when a recipe requests authorised access; else empty."""
    url = str(env.get(prefix + "GIT_URL") or "")
    if env.get(prefix + "GIT_AUTH") != "yes" or not url.startswith("https://") or "@" in url:
        return {}
    host, _, path = url.removeprefix("https://").partition("/")
    if token := env.get(prefix + "GH_TOKEN"):
        return {prefix + "GIT_URL": f"https://git:{token}@{host}/{path}"}
    if prefix + "GIT_SSH" in env:
        return {prefix + "GIT_URL": f"git@{host}:{path}"}
    return {}


def _check_lists(env: Given) -> None:
    """Raises: RecipeFault (1) for a `+KEY` that is not a list."""
    for key, value in env.items():
        if key.startswith("+") and not isinstance(value, list):
            raise RecipeFault(f"{key} must hold a list, not {value!r}")
