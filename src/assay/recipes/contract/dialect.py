"""What a dialect of the contract answers. CM and MLC are two dialects: `cm.py` and `mlc.py` satisfy `Dialect`.

Every question in which the two tools differ is a member here, so that nobody else asks which of them it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from assay.recipes.values import Given, Values

SCRIPT_UID = "5b4e0237da074764"
CACHE_UID = "541d6f712a6b464e"


class Dialect(Protocol):
    """The names one tool uses, and how it decides where the tools differ. All members are read-only."""

    # ------------------------------------------------------------------ names
    name: str  # of the tool
    package: str  # that installs it
    prefix: str  # of every env key the runner itself reads or writes
    home_folder: str  # below the user's own
    description_files: tuple[str, ...]  # of an artifact; merged in this order, the later wins
    repository_files: tuple[str, ...]
    local_description: str  # of the repository `local`, but for its uid
    index_files: tuple[str, ...]  # of the tool's own index, which it builds again
    cached_state_file: str
    owner_key: str  # in a cache entry: the recipe that made it
    owner_separator: str  # between alias and uid
    owner_tag: str
    default_owner: str  # of a repository named without one
    default_repository: str  # the one with the published recipes
    run_with_tags: str  # the command that runs the recipe of some tags, which follow
    skip_sudo: str  # names of variables, without the prefix
    verbose: str
    path_inputs: tuple[str, ...]  # inputs that become variables of the name TMP_…
    more_inputs_to_env: tuple[str, ...]  # inputs that become variables, beside those of both tools
    more_local_keys: tuple[str, ...]  # variables that are not handed down, beside those of both tools
    more_variation_keys: frozenset[str]  # of a variation's block, beside those of both tools
    script_suffixes: tuple[str, ...]  # variables whose value may end the name of a native script

    # ------------------------------------------------------------------ resolving a recipe
    bases_first: bool  # does the base of a variation apply before it?
    version_is_variation: bool  # does a version that was asked for select the variation `version.V`?
    dynamic_combinations: bool  # may one member of a combination be a `n.#`?
    combinations_after_each: (
        bool  # are complete combinations applied after each variation, or once after all?
    )
    recipe_has_const: bool  # has a recipe itself constants,
    recipe_has_conditions: bool  # and `update_meta_if_env`?
    conditions_set_const: bool  # may `update_meta_if_env` set constants?
    inputs_are_const: bool  # does a mapped input win over the env of a variation?
    variation_decides_cache: bool  # may a variation say whether the recipe keeps its results?
    docker_in_state: bool  # do hooks and scripts see the settings of a container in the state?
    entry_fills_its_tags: bool  # do the env of a dependency entry and that of the child go into its tags?

    # ------------------------------------------------------------------ running it
    has_predeps: bool  # is there a hook before the dependencies?
    postprocess_gets_const: bool
    step_tells_verbosity: bool  # does the step know of --v and of the files of --repro?
    hooks_learn_applied_variations: bool  # or those that were asked for?
    run_state_is_handed_down: bool  # does a dependency get a copy of its caller's, or a new one?
    run_state_holds_lists: bool  # are the lists a recipe works on part of it?
    remembers_choice_of_recipe: bool  # are hooks told which of several recipes was chosen?
    remembers_user_folder: bool  # does a variable keep the folder in which the user stands?
    cached_recipe_is_preferred: bool  # of several that answer, does one with a cache entry come first?
    resolved_variations_in_cache_tags: bool

    # ------------------------------------------------------------------ its command line and home
    lists_local: bool  # does the list of repositories name `local`?
    removal_deletes_files: bool  # does `rm repo` delete the folder?
    empty_removal_succeeds: bool  # does `rm cache` succeed when nothing matches?
    reads_arguments_from_file: bool  # is `@FILE` a word of its command line?

    def key(self, name: str) -> str:
        """A variable's name with the prefix: `CM_NAME`, `MLC_NAME`."""

    def merge(self, target: Values, more: Values) -> Values:
        """Put one state over another in place."""

    def env_value(self, have: Any, value: Any) -> Any:
        """What a variable becomes when a recipe or block sets it."""

    def in_order(self, before: list[Values], new: list[Values]) -> list[Values]:
        """The conditional blocks so far and those of a further block, in the order in which they are tried."""

    def host_values(self) -> dict[str, str]:
        """The variables about the machine that are set before any recipe runs."""

    def inherited_values(self, host_env: Mapping[str, str]) -> dict[str, str]:
        """Variables of the user's environment that a recipe sees unless it was given others."""

    def os_info(self) -> Values:
        """What `os_info` tells a hook beside what both tools tell."""

    def is_tags(self, word: str) -> bool:
        """Does a word of the command line stand for tags, or for a name?"""

    def top_input(self, inputs: Given, live: Given) -> Values:
        """The `input` of a hook of the recipe that was asked for; `live` are env, state and constants as given."""

    def nested_input(self, inputs: Given, told: Given) -> Values:
        """The `input` of a hook of a dependency; `told` is what the run says of itself."""

    def repositories_folder(self, home: Path) -> Path:
        """Where clones live."""

    def entry_folder(self, alias: str, uid: str) -> str:
        """The name of the folder of a new cache entry."""
