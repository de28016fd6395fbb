"""The differences between CM and MLC. `cm.py` and `mlc.py` implement the protocol `Dialect`.

Each difference between the two tools is a member here. No other module tests which tool it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from assay.recipes.values import Given, Values

SCRIPT_UID = "5b4e0237da074764"
CACHE_UID = "541d6f712a6b464e"


class Dialect(Protocol):
    """The names of one tool, and its choice wherever the tools differ. All members are read-only."""

    # ------------------------------------------------------------------ names
    name: str  # the name of the tool
    package: str  # the PyPI package that installs it
    prefix: str  # prefix of every env key that the runner itself reads or writes
    home_folder: str  # the tool's home, below the user's home
    description_files: tuple[str, ...]  # of an artifact; merged in this order, later files override
    repository_files: tuple[str, ...]
    local_description: str  # description of the repository `local`, without its uid
    index_files: tuple[str, ...]  # files of the tool's own index; the tool builds them again
    cached_state_file: str
    owner_key: str  # key in a cache entry that names the recipe that made it
    owner_separator: str  # between alias and uid
    owner_tag: str
    default_owner: str  # owner of a repository that is named without one
    default_repository: str  # the repository with the published recipes
    run_with_tags: str  # the command that runs a recipe; its tags follow
    skip_sudo: str  # name of a variable without the prefix, as `verbose`
    verbose: str
    path_inputs: tuple[str, ...]  # inputs that set the variable TMP_<NAME>
    more_inputs_to_env: tuple[str, ...]  # more inputs that set variables, besides those of both tools
    more_local_keys: tuple[str, ...]  # more variables hidden from dependencies, besides those of both
    more_variation_keys: frozenset[str]  # more keys of a variation, besides those of both tools
    script_suffixes: tuple[str, ...]  # variables with values that may end a script's name

    # ------------------------------------------------------------------ resolving a recipe
    bases_first: bool  # does the base of a variation apply before it?
    version_is_variation: bool  # does a requested version select the variation `version.V`?
    dynamic_combinations: bool  # may one member of a combination be a `n.#`?
    combinations_after_each: (
        bool  # are complete combinations applied after each variation, or once after all?
    )
    recipe_has_const: bool  # may a recipe itself have constants?
    recipe_has_conditions: bool  # may a recipe itself have `update_meta_if_env`?
    conditions_set_const: bool  # may `update_meta_if_env` set constants?
    inputs_are_const: bool  # does a mapped input override the env of a variation?
    variation_decides_cache: bool  # may a variation set whether the recipe caches?
    docker_in_state: bool  # does the state contain the container settings?
    entry_fills_its_tags: bool  # are its tags filled from its own env and the child's?

    # ------------------------------------------------------------------ running it
    has_predeps: bool  # is there a hook before the dependencies?
    postprocess_gets_const: bool
    step_tells_verbosity: bool  # does the step contain --v and the files of --repro?
    hooks_learn_applied_variations: bool  # do hooks get the applied variations, or the requested ones?
    run_state_is_handed_down: bool  # does a dependency get a copy of its caller's run_state, or a new one?
    run_state_holds_lists: bool  # does run_state contain the lists that a recipe works on?
    remembers_choice_of_recipe: bool  # do hooks get the choice among several recipes?
    remembers_user_folder: bool  # does a variable hold the user's current folder?
    cached_recipe_is_preferred: bool  # of several matches, is one with a cache entry preferred?
    resolved_variations_in_cache_tags: bool
    entry_is_judged_with_its_values: bool  # does `validate_cache` see what the entry exports?

    # ------------------------------------------------------------------ its command line and home
    lists_local: bool  # does the list of repositories name `local`?
    removal_deletes_files: bool  # does `rm repo` delete the folder?
    empty_removal_succeeds: bool  # does `rm` succeed when nothing matches?
    reads_arguments_from_file: bool  # does its command line accept `@FILE`?

    def key(self, name: str) -> str:
        """A variable's name with the prefix: `CM_NAME`, `MLC_NAME`."""

    def merge(self, target: Values, more: Values) -> Values:
        """Merges `more` into the state `target` in place, and returns it."""

    def env_value(self, have: Any, value: Any) -> Any:
        """The new value of a variable that has the value `have` when a recipe or block sets `value`."""

    def in_order(self, before: list[Values], new: list[Values]) -> list[Values]:
        """The conditional blocks `before` and `new` in the order in which they are tried."""

    def host_values(self) -> dict[str, str]:
        """The variables about the machine that are set before any recipe runs."""

    def inherited_values(self, host_env: Mapping[str, str]) -> dict[str, str]:
        """Variables of the user's environment that a recipe sees if it has no other values for them."""

    def os_info(self) -> Values:
        """The members of a hook's `os_info` that only this tool has."""

    def is_tags(self, word: str) -> bool:
        """Whether a word of the command line is a list of tags; else it is a name."""

    def top_input(self, inputs: Given, live: Given) -> Values:
        """The `input` of a hook of the requested recipe. `live` holds the given env, state and constants."""

    def nested_input(self, inputs: Given, told: Given) -> Values:
        """The `input` of a hook of a dependency. `told` holds the values that the run adds."""

    def repositories_folder(self, home: Path) -> Path:
        """The folder for clones."""

    def entry_folder(self, alias: str, uid: str) -> str:
        """The name of the folder of a new cache entry."""
