"""Dependency entries: adds them to lists, changes them by `ad` and `adr`, and makes the env for a call (pure)."""

from __future__ import annotations

from typing import Any

from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.merge import copied, merge
from assay.recipes.model.conditions import CONDITION_KEYS, applies
from assay.recipes.model.env import Env, matching_keys
from assay.recipes.model.template import fill, fill_nested, filled, placeholders
from assay.recipes.model.variations import Choice
from assay.recipes.values import Given, Values

Entry = Values
# Variables (without CM_ or MLC_) that dependencies never get. Source: built-in list of the pinned engine.
LOCAL_KEYS = (
    "VERSION",
    "VERSION_MIN",
    "VERSION_MAX",
    "VERSION_MAX_USABLE",
    "DETECTED_VERSION",
    "INPUT",
    "OUTPUT",
    "OUTBASENAME",
    "OUTDIRNAME",
    "NAME",
    "EXTRA_CACHE_TAGS",
    "TMP_*",
    "GIT_*",
    "RENEW_CACHE_ENTRY",
)


def local_keys(dialect: Dialect) -> list[str]:
    """Variables of a recipe that its dependencies do not see."""
    return [dialect.key(name) for name in (*LOCAL_KEYS, *dialect.more_local_keys)]


def split_tags(tags: Any) -> list[str]:
    if isinstance(tags, list):
        return [str(tag) for tag in tags]
    return [tag for tag in str(tags or "").split(",") if tag]


def append_entries(entries: list[Entry], more: list[Entry]) -> None:
    """Adds entries. An entry replaces one with the same names or, if it has no names, one with the same tags."""
    for entry in more:
        position = _same_entry(entries, entry)
        if position is None:
            entries.append(entry)
        else:
            entries[position] = entry


def _same_entry(entries: list[Entry], entry: Entry) -> int | None:
    names = set(entry.get("names") or [])
    tags = set(split_tags(entry.get("tags")))
    for position, old in enumerate(entries):
        if names:
            if set(old.get("names") or []) == names:
                return position
        elif set(split_tags(old.get("tags"))) == tags:
            return position
    return None


def update_named(entries: list[Entry], additions: Given, env: Given, *, strict: bool = False) -> str | None:
    """Adds tags, versions and other values to the entries with these names.

    With `strict`, stops at the first name that no entry has, and returns it. An addition may have its own
    conditions. Its tags follow those of the entry in the given order (in CM: in the order of a Python set).
    """
    for name, addition in additions.items():
        if not isinstance(addition, dict) or not applies(addition, env):
            continue
        found = False
        for entry in entries:
            if name in (entry.get("names") or []):
                fill_nested(addition, env)
                _update_entry(entry, addition)
                found = True
        if strict and not found:
            return name
    return None


def _update_entry(entry: Entry, addition: Given) -> None:
    for key, value in addition.items():
        if key == "tags":
            have = split_tags(entry.get("tags"))
            new = [tag for tag in split_tags(value) if "<<<" not in tag and tag not in have]
            entry["tags"] = ",".join([*have, *dict.fromkeys(new)])
        elif key in CONDITION_KEYS:
            continue  # conditions of the addition, not of the dependency
        elif isinstance(value, dict):
            if not entry.get(key):
                entry[key] = copied(value)
            elif isinstance(entry[key], dict):
                merge(entry[key], value)
        elif isinstance(value, list):
            entry[key] = [*(entry.get(key) or []), *value]
        else:
            entry[key] = value


def merge_additions(target: Values, more: Given) -> None:
    """Merges one `adr` into another in place. The tags for one name are united."""
    if target == more:
        return
    for name, addition in copied(dict(more)).items():
        have = target.get(name)
        if not isinstance(have, dict) or not isinstance(addition, dict):
            target[name] = addition
            continue
        tags = list(dict.fromkeys([*split_tags(have.get("tags")), *split_tags(addition.pop("tags", ""))]))
        merge(have, addition)
        if tags:
            have["tags"] = ",".join(tags)


def additions(block: Given, short: str, long: str) -> Values:
    """The merged additions of a block: `ad` and `add_deps`, or `adr` and `add_deps_recursive`. The long form
    overrides."""
    found: Values = copied(block.get(short) or {})
    return merge(found, copied(block.get(long) or {}))


class Inheritance:
    """The variables that one list of dependencies sees, and those that the parent gets back afterwards."""

    def __init__(self, hidden_keys: list[str], choice: Choice, dialect: Dialect) -> None:
        self.hidden_keys = hidden_keys
        self.choice = choice
        self.dialect = dialect
        self.remembered: Values = {}

    def child_env(self, entry: Entry, env: Env) -> Env:
        """The parent's variables without local and unresolved ones. It also completes the entry's tags in place."""
        entry_env = entry.get("env")
        if isinstance(entry_env, dict):
            entry_env.update(filled(entry_env, env))
        own = (entry_env or {}) if self.dialect.entry_fills_its_tags else {}
        _add_tags(entry, _prefixed_tags(entry, own, env))
        child = Env(env)
        self._hide(child)
        for pattern in entry.get("force_env_keys") or []:
            child.refresh({key: self.remembered[key] for key in matching_keys(self.remembered, pattern)})
        if entry.get("reuse_version"):
            version = self.dialect.key("VERSION")
            child.refresh({key: value for key, value in self.remembered.items() if key.startswith(version)})
        tags = [text for key in entry.get("update_tags_from_env") or [] for text in _texts(key, own, child)]
        conditions = entry.get("update_tags_if_env") or {}
        _add_tags(
            entry, [*tags, *(tag for tag, condition in conditions.items() if applies(condition, child))]
        )
        if entry.get("inherit_variation_tags"):
            inherited = self._inherited(entry)
            _add_tags(entry, inherited)
            if not inherited and isinstance(entry["tags"], str):
                entry["tags"] += ","  # both tools record it in this form
        if self.dialect.entry_fills_its_tags:
            entry["tags"] = fill(entry["tags"], child)
        return child

    def _hide(self, child: Env) -> None:
        for pattern in self.hidden_keys:
            for key in matching_keys(list(child), pattern):
                self.remembered[key] = child[key]
                dict.pop(child, key)
        for key in [key for key, value in child.items() if placeholders(value)]:
            self.remembered[key] = child[key]
            dict.pop(child, key)

    def _inherited(self, entry: Entry) -> list[str]:
        """The parent's variations, without those of skipped groups and those that the entry excludes."""
        skipped: set[str] = set()
        for name in entry.get("skip_inherit_variation_groups") or []:
            if name in self.choice.groups:
                skipped.update(self.choice.groups[name].members)
        prefixes = tuple(name[:-1] for name in skipped if name.endswith(".#"))
        tags = split_tags(entry.get("tags"))
        excluded = {tag[2:] for tag in tags if tag.startswith(("-_", "_-"))}
        return [
            f"_{name}"
            for name in self.choice.applied
            if name not in skipped and name not in excluded and not (prefixes and name.startswith(prefixes))
        ]


def _add_tags(entry: Entry, more: list[str]) -> None:
    if more:
        have = entry["tags"]
        entry["tags"] = ",".join([*(have if isinstance(have, list) else [str(have)]), *more])


def _prefixed_tags(entry: Entry, own: Given, env: Given) -> list[str]:
    """The tags of `update_tags_from_env_with_prefix`: {prefix: [keys]} gives the prefix followed by each key's
    value."""
    return [
        f"{prefix}{text}"
        for prefix, keys in (entry.get("update_tags_from_env_with_prefix") or {}).items()
        for key in (keys if isinstance(keys, list) else [keys])
        for text in _texts(key, own, env)
    ]


def _texts(key: str, own: Given, env: Given) -> list[str]:
    """The value of a variable as texts, one per item of a list: the entry's own value (MLC), else the parent's."""
    value = own[key] if str(own.get(key, "")).strip() else env.get(key, "")
    return [str(item) for item in (value if isinstance(value, list) else [value]) if str(item).strip()]


def merge_env(env: Env, new: Given, writer: str) -> None:
    """Merges exported values into an env. Lists are extended, other values replaced."""
    with env.written_by(writer):
        for key, value in copied(dict(new)).items():
            have = env.get(key)
            if isinstance(have, list) and isinstance(value, list):
                env[key] = have + [item for item in value if item not in have]
            else:
                env[key] = value
