"""The dialect of MLC. Source: mlcflow 1.3.8 with mlperf-automations at 20d3d94c."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.recipes.contract.merge import merge
from assay.recipes.values import Given, Values

# Inputs that MLC does not pass to the hooks of the requested recipe.
NOT_SHOWN = frozenset({"action", "automation", "cmd", "artifact", "artifacts", "verbose", "silent"})
# Inputs about the run itself that only CM passes to the hooks of a dependency.
TOLD_BY_CM = frozenset({"remembered_selections", "verbose", "silent"})


class Mlc:
    """MLC's `Dialect`. The protocol explains each member."""

    name = "mlc"
    package = "mlcflow"
    prefix = "MLC_"
    home_folder = "MLC/repos"
    description_files: tuple[str, ...] = ("meta.yaml", "meta.json")
    repository_files: tuple[str, ...] = ("meta.yaml", "meta.json")
    local_description = "alias: local\nname: local\n"
    index_files: tuple[str, ...] = (
        "index_script.json",
        "index_cache.json",
        "index_experiment.json",
        "modified_times.json",
    )
    cached_state_file = "mlc-cached-state.json"
    owner_key = "associated_script_item"
    owner_separator = ", "
    owner_tag = "script-item-"
    default_owner = "mlcommons"
    default_repository = "mlcommons@mlperf-automations"
    run_with_tags = "mlcr "
    skip_sudo = "SKIP_SUDO"
    verbose = "TMP_VERBOSE"
    path_inputs: tuple[str, ...] = ("path", "folder")
    more_inputs_to_env: tuple[str, ...] = ("search_folder_path", "skip_sudo", "hf_token", "verify_ssl")
    more_local_keys: tuple[str, ...] = ("SEARCH_FOLDER_PATH",)
    more_variation_keys: frozenset[str] = frozenset({"cache"})
    script_suffixes: tuple[str, ...] = ("HOST_OS_FLAVOR_LIKE", "HOST_OS_TYPE")

    bases_first = True
    version_is_variation = True
    dynamic_combinations = True
    combinations_after_each = False
    recipe_has_const = True
    recipe_has_conditions = True
    conditions_set_const = True
    inputs_are_const = False
    variation_decides_cache = True
    docker_in_state = False
    entry_fills_its_tags = True

    has_predeps = True
    postprocess_gets_const = True
    step_tells_verbosity = False
    hooks_learn_applied_variations = True
    run_state_is_handed_down = False
    run_state_holds_lists = True
    remembers_choice_of_recipe = False
    remembers_user_folder = True
    # mlcflow tries to, but compares the uid with " uid", which has a blank.
    cached_recipe_is_preferred = False
    resolved_variations_in_cache_tags = True
    entry_is_judged_with_its_values = True

    lists_local = True
    removal_deletes_files = True
    empty_removal_succeeds = True
    reads_arguments_from_file = False

    def key(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def merge(self, target: Values, more: Values) -> Values:
        """Nested lists get only items that they lack."""
        return merge(target, more, nested=True)

    def env_value(self, have: Any, value: Any) -> Any:
        """A list extends the existing list. Other values replace."""
        if isinstance(value, list) and isinstance(have, list):
            return [*have, *(item for item in value if item not in have)]
        return value

    def in_order(self, before: list[Values], new: list[Values]) -> list[Values]:
        return [*before, *new]

    def host_values(self) -> dict[str, str]:
        return {"MLC_HOST_OS_TYPE": sys.platform, "MLC_HOST_PLATFORM_FLAVOR": os.uname().machine}

    def inherited_values(self, host_env: Mapping[str, str]) -> dict[str, str]:
        return {key: host_env[key] for key in ("USER", "HOME") if key in host_env}

    def os_info(self) -> Values:
        return {"env_quote": '"', "env": self.host_values()}

    def is_tags(self, word: str) -> bool:
        return " " in word or "," in word

    def top_input(self, inputs: Given, live: Given) -> Values:
        words = [str(word) for word in inputs.get("cmd") or []]
        shown = {name: value for name, value in inputs.items() if name not in NOT_SHOWN}
        details = [word for word in words if not word.startswith("-")][:1]
        named = {"details": details[0]} if details else {}
        return {**shown, **live, **named, "mlc_run_cmd": " ".join(["mlc run script", *words])}

    def nested_input(self, inputs: Given, told: Given) -> Values:
        shown = {name: value for name, value in inputs.items() if name != "action"}
        return shown | {name: value for name, value in told.items() if name not in TOLD_BY_CM}

    def repositories_folder(self, home: Path) -> Path:
        return home

    def entry_folder(self, alias: str, uid: str) -> str:
        return f"{alias}_{uid[:8]}"


MLC = Mlc()
