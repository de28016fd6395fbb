"""The form of a description: which parts are lists and which are dictionaries. Asked when something went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.recipes.light import Any

_DICTIONARIES = """
env default_env const state const_state ad adr add_deps add_deps_recursive input_mapping docker input_description
variations versions default_variations env_key_mappings print_env_at_the_end tests enable_if_env enable_if_any_env
skip_if_env skip_if_any_env update_tags_from_env_with_prefix update_tags_if_env
"""
_LISTS = """
tags names base new_env_keys new_state_keys local_env_keys clean_env_keys_post_deps clean_files clean_output_files
print_files_if_script_error warnings valid_variation_combinations invalid_variation_combinations
update_tags_from_env force_env_keys skip_inherit_variation_groups
"""
_ENTRIES = "deps prehook_deps posthook_deps post_deps update_meta_if_env extra_cache_tags_from_env"
DICTIONARIES = frozenset(_DICTIONARIES.split())
LISTS = frozenset(_LISTS.split())
ENTRIES = frozenset(_ENTRIES.split())  # lists of dictionaries
BLOCKS = {"variations": "variation _", "versions": "version "}  # whose values are read like a recipe
TEXT_OR_LIST = frozenset({"tags", "names"})


def misshapen(block: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Each part that has not the form it must have, in words. Empty parts are as good as absent ones."""
    for key, value in block.items():
        if not value or (isinstance(value, str) and key in TEXT_OR_LIST):
            continue
        if key in DICTIONARIES and not isinstance(value, dict):
            yield f"{where}{key} must be a dictionary, not {value!r}"
        elif key in LISTS | ENTRIES and not isinstance(value, list):
            yield f"{where}{key} must be a list, not {value!r}"
        elif key in ENTRIES:
            for entry in value:
                if isinstance(entry, dict):
                    # Of an entry of `extra_cache_tags_from_env`, `env` is the name of a variable.
                    yield from misshapen(
                        {} if key == "extra_cache_tags_from_env" else entry, f"{where}{key}: "
                    )
                else:
                    yield f"{where}{key} must hold dictionaries, not {entry!r}"
        elif key in BLOCKS:
            for name, inner in value.items():
                if isinstance(inner, dict):
                    yield from misshapen(inner, f"{where}{BLOCKS[key]}{name}: ")
                elif inner:
                    yield f"{where}{BLOCKS[key]}{name} must be a dictionary, not {inner!r}"
