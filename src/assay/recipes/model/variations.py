"""From the requested variations to the applied ones: aliases, bases, defaults, groups (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from assay.ground.errors import did_you_mean
from assay.recipes.errors import RecipeFault
from assay.recipes.values import Given

Variations = Given


class VariationGroup(NamedTuple):
    """A group of variations: at most one may be chosen. `default` is chosen if none is; empty = no default."""

    members: tuple[str, ...]
    default: str


class Choice(NamedTuple):
    """The variations of a request. `applied` is in the order of application, and may name one twice, as in CM."""

    requested: tuple[str, ...]  # as requested; an excluded one is `-name`
    applied: tuple[str, ...]
    groups: dict[str, VariationGroup]
    reasons: dict[str, str]  # variation -> why it applies

    def chosen(self) -> dict[str, str]:
        """Group -> the applied variation of that group."""
        return {
            name: next(v for v in self.applied if static_name(v, group.members) in group.members)
            for name, group in self.groups.items()
            if any(static_name(v, group.members) in group.members for v in self.applied)
        }


def dynamic_name(variation: str) -> str | None:
    """`batch_size.8` -> `batch_size.#`; None without a suffix."""
    prefix, dot, suffix = variation.partition(".")
    return f"{prefix}.#" if dot and suffix and not variation.endswith(".") else None


def static_name(variation: str, known: Iterable[str]) -> str:
    """The key of a variation in the description: its own name, else its `.#` form."""
    return variation if variation in known else dynamic_name(variation) or variation


def knows(variations: Variations, name: str) -> bool:
    """Whether a recipe has a variation for this name, either literally or as a `.#` variation."""
    if name in variations:
        return True
    return any(
        key.endswith(".#") and name.startswith(key[:-1]) and not name.endswith(".") for key in variations
    )


def choose(meta: Given, requested: Iterable[str], *, bases_first: bool = False) -> Choice:
    """The variations that apply for a request, in the order of application.

    Raises: RecipeFault (1) for an unknown or excluded base, alias or default, for two members of one group, and for
    a combination that the recipe forbids.
    """
    variations: Variations = {name: block or {} for name, block in (meta.get("variations") or {}).items()}
    requested = tuple(requested)
    excluded = {static_name(name[1:], variations) for name in requested if name.startswith("-")}
    groups = find_groups(variations)
    closure = _Closure(variations, excluded, groups, bases_first)
    selected = closure.with_aliases(requested)
    default = meta.get("default_variation") or ""
    if default and default not in variations:
        raise RecipeFault(
            f"default variation {default!r} is none of the recipe", 1, did_you_mean(default, variations)
        )
    if not selected and default and default not in excluded:
        selected = [default]
        closure.reasons[default] = "default variation of the recipe"
    selected = closure.extend(selected)
    with_defaults = closure.with_group_defaults(selected)
    if with_defaults != selected:
        selected = closure.extend(with_defaults)
    check_combinations(meta, selected)
    return Choice(requested, tuple(selected), groups, closure.reasons)


def find_groups(variations: Variations) -> dict[str, VariationGroup]:
    """The groups in the order of the recipe.

    Raises: RecipeFault (1) when a group has two defaults.
    """
    members: dict[str, list[str]] = {}
    defaults: dict[str, str] = {}
    for name, block in variations.items():
        group = block.get("group") if isinstance(block, dict) else None
        if not group:
            continue
        members.setdefault(group, []).append(name)
        if "default" in block:
            if group in defaults:
                raise RecipeFault(f"group {group!r} has two defaults: {defaults[group]} and {name}")
            defaults[group] = name
    return {name: VariationGroup(tuple(found), defaults.get(name, "")) for name, found in members.items()}


def check_combinations(meta: Given, selected: list[str]) -> None:
    """Raises: RecipeFault (1) when no valid combination is selected, or when an invalid one is."""
    valid = meta.get("valid_variation_combinations") or []
    if valid and not any(set(combination) <= set(selected) for combination in valid):
        raise RecipeFault(f"no valid combination of variations: {', '.join(selected)}", 1, f"valid: {valid}")
    for combination in meta.get("invalid_variation_combinations") or []:
        if set(combination) <= set(selected):
            raise RecipeFault(f"the variations {', '.join(combination)} do not go together")


class _Member:
    """A selected variation. `done`: its bases and defaults have been added."""

    def __init__(self, name: str, done: bool = False) -> None:
        self.name = name
        self.done = done


class _Closure:
    """Adds bases and default variations to a selection until nothing is missing."""

    def __init__(
        self, variations: Variations, excluded: set[str], groups: dict[str, VariationGroup], bases_first: bool
    ) -> None:
        self.variations = variations
        self.excluded = excluded
        self.groups = groups
        self.bases_first = bases_first
        self.combined = sorted((name for name in variations if "," in name), key=lambda name: name.count(","))
        self.reasons: dict[str, str] = {}

    def block(self, name: str) -> Given:
        found = self.variations.get(static_name(name, self.variations))
        if found is None:
            raise RecipeFault(f"unknown variation _{name}", 1, did_you_mean(name, self.variations, "_"))
        return found if isinstance(found, dict) else {}

    def with_aliases(self, requested: tuple[str, ...]) -> list[str]:
        selected = list(requested)
        for name in requested:
            if name.startswith(("-", "~")):
                continue
            self.reasons[name] = "asked for"
            block = self.block(name)
            alias = block.get("alias")
            if not alias:
                continue
            if alias in self.excluded or alias not in self.variations:
                problem = "excluded" if alias in self.excluded else "unknown"
                raise RecipeFault(f"_{name} is an alias of _{alias}, which is {problem}")
            if "group" in block or "default" in block:
                raise RecipeFault(f"_{name} is an alias and may have neither group nor default")
            if alias not in selected:
                selected.append(alias)
                self.reasons[alias] = f"_{name} is an alias of it"
        return selected

    def extend(self, selected: list[str]) -> list[str]:
        """The selection with the bases and default variations of all members and of all complete combinations.

        Default variations are compared with the selection at the start of the call. Two variations may therefore add
        the same default.
        """
        at_entry = {static_name(name, self.variations) for name in selected}
        seen_combinations: set[str] = set()
        members = [_Member(name, name.startswith(("-", "~"))) for name in selected]
        while member := next((member for member in members if not member.done), None):
            repeated = any(other.done and other.name == member.name for other in members)
            member.done = True
            if repeated:
                # The first of this name added everything already. Without this, two that add each other never end.
                continue
            block = self.block(member.name)
            self._add_bases(member.name, block, members)
            self._add_defaults(member.name, block, members, at_entry)
            have = {other.name for other in members}
            for combination in self.combined:
                if combination not in seen_combinations and set(combination.split(",")) <= have:
                    seen_combinations.add(combination)
                    self._add_defaults(combination, self.block(combination), members, at_entry)
        return [member.name for member in members]

    def _add_bases(self, name: str, block: Given, members: list[_Member]) -> None:
        for base in block.get("base") or []:
            static = static_name(base, self.variations)
            if static not in self.variations:
                raise RecipeFault(
                    f"_{name} builds on _{base}, which is unknown", 1, did_you_mean(base, self.variations)
                )
            have = [member.name for member in members]
            prefix = static.removesuffix("#") if base not in self.variations else None
            if base in have or (prefix and any(other.startswith(prefix) for other in have)):
                continue
            if base in self.excluded:
                raise RecipeFault(f"_{name} builds on _{base}, which is excluded")
            self.reasons[base] = f"base of _{name}"
            members.insert(0 if self.bases_first else len(members), _Member(base))

    def _add_defaults(self, name: str, block: Given, members: list[_Member], at_entry: set[str]) -> None:
        for group, default in (block.get("default_variations") or {}).items():
            if group not in self.groups:
                raise RecipeFault(
                    f"_{name} gives a default for the unknown group {group!r}",
                    1,
                    did_you_mean(group, self.groups),
                )
            if set(self.groups[group].members) & at_entry or default in self.excluded or default in at_entry:
                continue
            if static_name(default, self.variations) not in self.variations:
                raise RecipeFault(
                    f"_{name} brings _{default}, which is unknown", 1, did_you_mean(default, self.variations)
                )
            members.append(_Member(default))
            self.reasons.setdefault(default, f"default of the group {group} given by _{name}")

    def with_group_defaults(self, selected: list[str]) -> list[str]:
        """The selection with the defaults of groups that have no member in it. Raises: RecipeFault (1) when two
        members of one group are selected."""
        extended = list(selected)
        have = {static_name(name, self.variations) for name in selected}
        for name, group in self.groups.items():
            both = [member for member in group.members if member in have]
            if len(both) > 1:
                raise RecipeFault(f"two variations of the group {name!r}: _{', _'.join(both)}")
            if not both and group.default and group.default not in self.excluded:
                extended.append(group.default)
                self.reasons[group.default] = f"default of the group {name}"
        return extended
