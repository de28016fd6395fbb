"""The form of a description: its bounds, and the type of each part.

`check_bounds` is called when a file is read. `misshapen` is called after an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay.recipes.values import Given

_DICTIONARIES = """
env default_env const state const_state ad adr add_deps add_deps_recursive input_mapping docker input_description
variations versions default_variations env_key_mappings print_env_at_the_end tests enable_if_env enable_if_any_env
skip_if_env skip_if_any_env update_tags_from_env_with_prefix update_tags_if_env
"""
_LISTS = """
tags names base new_env_keys new_state_keys local_env_keys clean_env_keys_post_deps clean_files clean_output_files
print_files_if_script_error warnings valid_variation_combinations invalid_variation_combinations
update_tags_from_env force_env_keys skip_inherit_variation_groups force_new_env_keys force_new_state_keys
file_path_env_keys folder_path_env_keys
"""
_ENTRIES = "deps prehook_deps posthook_deps post_deps update_meta_if_env extra_cache_tags_from_env"
DICTIONARIES = frozenset(_DICTIONARIES.split())
LISTS = frozenset(_LISTS.split())
ENTRIES = frozenset(_ENTRIES.split())  # lists of dictionaries
COMBINATIONS = frozenset({"valid_variation_combinations", "invalid_variation_combinations"})  # lists of lists
TEXTS = frozenset({"alias", "uid", "group", "default_variation", "default_version", "script_name"})
# Dictionaries with texts as values.
NAMES_TO_TEXTS = frozenset({"input_mapping", "default_variations", "env_key_mappings"})
NAMES_TO_BLOCKS = frozenset({"update_tags_if_env"})  # their values are read like an entry
BLOCKS = {"variations": "variation _", "versions": "version "}  # their values are read like a recipe
NESTING = (dict, list, tuple, set)
PLAIN = (str, int, float)
TEXT_OR_LIST = frozenset({"tags", "names"})
OF_PLAIN_VALUES = TEXT_OR_LIST | {"warnings"}  # a tag may be a number; in other lists every item is a text
# Dictionaries with names as keys.
VARIABLES = frozenset({"env", "default_env", "const", "state", "const_state", "variations"}) | NAMES_TO_TEXTS
PLAIN_TEXTS = ("alias", "uid")
DEPTH_MAX = 100  # the deepest description of the two public repositories nests 8 deep
VALUES_MAX = 1_000_000  # the largest of them holds 7,000 values


def check_bounds(value: Given) -> None:
    """Checks what all later code depends on, because it copies descriptions and uses the names in them.

    Raises: ValueError with a sentence, for a description that contains itself, exceeds DEPTH_MAX or VALUES_MAX
    (YAML's aliases make both easy), or has a name that is not a text.
    """
    for key in PLAIN_TEXTS:
        if isinstance(value.get(key), NESTING):
            raise ValueError(f"{key} must be text, not {value[key]!r:.60}")
    if not isinstance(value.get("prefix") or "", str):  # key of a repository: the folder below it
        raise ValueError(f"prefix must be text, not {value['prefix']!r:.60}")
    _measure(value, 0, {})


def check_left(env: Given, state: Given) -> None:
    """Checks what a hook may have left in the variables and the state, which are sorted and written as JSON later.

    Raises: ValueError with a sentence.
    """
    for key in env:
        if not isinstance(key, str):
            raise ValueError(f"a variable must have a text as its name, not {key!r:.60}")
    try:
        _measure(state, 0, {})
    except ValueError as problem:
        raise ValueError(f"the state: {problem}") from None


def _measure(value: Any, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """(values, levels) in and below a value. A shared part counts at each use."""
    if not isinstance(value, (dict, list)):
        return 1, 0
    if id(value) not in known:
        if depth > DEPTH_MAX:
            raise ValueError(f"it contains itself, or is nested more than {DEPTH_MAX} levels deep")
        inner = value.values() if isinstance(value, dict) else value
        found = [_measure(item, depth + 1, known) for item in inner]
        known[id(value)] = 1 + sum(n for n, _ in found), 1 + max((n for _, n in found), default=0)
    size, levels = known[id(value)]
    if depth + levels > DEPTH_MAX:
        raise ValueError(f"it is nested more than {DEPTH_MAX} levels deep")
    if size > VALUES_MAX:
        raise ValueError(f"its aliases make more than {VALUES_MAX:,} values of it")
    return size, levels


def misshapen(block: Given, where: str = "") -> Iterator[str]:
    """A sentence for each part that has the wrong type. Empty parts count as absent."""
    for key, value in block.items():
        if not value or (isinstance(value, str) and key in TEXT_OR_LIST):
            continue
        if where and key == "default_variation":  # only that of the recipe itself is read
            continue
        part = f"{where}{key}"
        if key in DICTIONARIES:
            yield from _wrong_dictionary(part, key, value)
        elif key in LISTS | ENTRIES:
            yield from _wrong_list(part, key, value)
        elif key in TEXTS and not isinstance(value, str if key == "default_variation" else PLAIN):
            yield f"{part} must be text, not {value!r}"
        elif key == "required_disk_space" and not isinstance(value, (int, float)):
            yield f"{part} must be a number of MB, not {value!r}"


def _wrong_dictionary(part: str, key: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{part} must be a dictionary, not {value!r}"
        return
    if key in VARIABLES and (other := [name for name in value if not isinstance(name, str)]):
        yield f"{part} must have names as keys, not {other[0]!r}"
    if key in NAMES_TO_TEXTS and (other := [text for text in value.values() if _is_no_text(key, text)]):
        yield f"{part} must hold texts, not {other[0]!r}"
    if key == "docker":
        yield from misshapen(value, f"{part}: ")
    if key == "update_tags_from_env_with_prefix":
        for prefix, keys in value.items():
            yield from _wrong_list(f"{part}: {prefix}", "names", keys if isinstance(keys, list) else [keys])
    if key in BLOCKS or key in NAMES_TO_BLOCKS:
        for name, inner in value.items():
            start = f"{part.removesuffix(key)}{BLOCKS[key]}{name}" if key in BLOCKS else f"{part}: {name}"
            if isinstance(inner, dict):
                yield from misshapen(inner, f"{start}: ")
            elif inner or key in NAMES_TO_BLOCKS:
                yield f"{start} must be a dictionary, not {inner!r}"


def _is_no_text(key: str, value: object) -> bool:
    """What an input is mapped to is the name of a variable; elsewhere a number counts as its text."""
    return not isinstance(value, str) if key == "input_mapping" else isinstance(value, NESTING)


def _wrong_list(part: str, key: str, value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{part} must be a list, not {value!r}"
        return
    for item in value:
        if key in COMBINATIONS:
            if not isinstance(item, list):
                yield f"{part} must hold lists, not {item!r}"
        elif key in LISTS:
            if not isinstance(item, PLAIN if key in OF_PLAIN_VALUES else str):
                yield f"{part} must hold texts, not {item!r}"
        elif isinstance(item, dict):
            # Of an entry of `extra_cache_tags_from_env`, `env` is the name of a variable.
            yield from misshapen({} if key == "extra_cache_tags_from_env" else item, f"{part}: ")
        else:
            yield f"{part} must hold dictionaries, not {item!r}"
