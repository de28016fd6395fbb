"""The dialect of CM. Source: cmind 4.2.0 with the engine of cm4mlops at 3a601227."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.recipes.contract.dialect import SCRIPT_UID
from assay.recipes.contract.merge import merge
from assay.recipes.contract.names import split_repository
from assay.recipes.values import Given, Values


class Cm:
    """CM's `Dialect`. The protocol explains each member."""

    name = "cm"
    package = "cmind"
    prefix = "CM_"
    home_folder = "CM"
    description_files: tuple[str, ...] = ("_cm.yaml", "_cm.json")
    repository_files: tuple[str, ...] = ("cmr.yaml", "cmr.json")
    local_description = "alias: local\n"
    index_files: tuple[str, ...] = ("index.json",)
    cached_state_file = "cm-cached-state.json"
    owner_key = "associated_script_artifact"
    owner_separator = ","
    owner_tag = "script-artifact-"
    default_owner = "mlcommons"
    default_repository = "mlcommons@cm4mlops"
    run_with_tags = "cm run script --tags="
    skip_sudo = "TMP_SKIP_SUDO"
    verbose = "VERBOSE"
    path_inputs: tuple[str, ...] = ("path",)
    more_inputs_to_env: tuple[str, ...] = ()
    more_local_keys: tuple[str, ...] = ()
    more_variation_keys: frozenset[str] = frozenset()
    script_suffixes: tuple[str, ...] = ()

    bases_first = False
    version_is_variation = False
    dynamic_combinations = False
    combinations_after_each = True
    recipe_has_const = False
    recipe_has_conditions = False
    conditions_set_const = False
    inputs_are_const = True
    variation_decides_cache = False
    docker_in_state = True
    entry_fills_its_tags = False

    has_predeps = False
    postprocess_gets_const = False
    step_tells_verbosity = True
    hooks_learn_applied_variations = False
    run_state_is_handed_down = True
    run_state_holds_lists = False
    remembers_choice_of_recipe = True
    remembers_user_folder = False
    cached_recipe_is_preferred = True
    resolved_variations_in_cache_tags = False
    entry_is_judged_with_its_values = False

    lists_local = False
    removal_deletes_files = False
    empty_removal_succeeds = False
    reads_arguments_from_file = True

    def key(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def merge(self, target: Values, more: Values) -> Values:
        return merge(target, more)

    def env_value(self, have: Any, value: Any) -> Any:
        return value

    def in_order(self, before: list[Values], new: list[Values]) -> list[Values]:
        return [*new, *before]

    def host_values(self) -> dict[str, str]:
        return {}

    def inherited_values(self, host_env: Mapping[str, str]) -> dict[str, str]:
        return {}

    def os_info(self) -> Values:
        return {}

    def is_tags(self, word: str) -> bool:
        return " " in word

    def top_input(self, inputs: Given, live: Given) -> Values:
        return {**inputs, **live, **parsed_names(inputs)}

    def nested_input(self, inputs: Given, told: Given) -> Values:
        return {**inputs, **told, **parsed_names(inputs)}

    def repositories_folder(self, home: Path) -> Path:
        return home / "repos"

    def entry_folder(self, alias: str, uid: str) -> str:
        return uid


def parsed_names(inputs: Given) -> Values:
    """The names of a request as CM parses them: each an (alias, uid), followed by that of its repository if it has
    one."""
    names: Values = {"parsed_automation": [("script", SCRIPT_UID)]}
    artifact = str(inputs.get("artifact") or "")
    if artifact and " " not in artifact:
        repository, name = split_repository(artifact)
        names["parsed_artifact"] = [tuple(name), *([tuple(repository)] if repository else [])]
    return names


CM = Cm()
