"""Recipe + selection + variables -> ResolvedRecipe: what will run, with which values, and who wrote each (pure).

The order is CM's; later ones override: default_env < caller < env of the recipe < mapped inputs < variations, each
followed by the combinations that are complete < version < const.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.recipes.contract.merge import copied
from assay.recipes.model.dependencies import additions, merge_additions
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.resolved import ResolvedRecipe, Scope
from assay.recipes.model.variations import choose, dynamic_name, static_name
from assay.recipes.model.versions import KEYS, asked
from assay.recipes.values import Given, Values


def resolve(recipe: Recipe, requested: tuple[str, ...], inputs: Given, scope: Scope) -> ResolvedRecipe:
    """Resolves a recipe for a request.

    `requested`: variations, excluded ones as `-name`. `inputs`: all inputs of the call. Raises: RecipeFault for
    variations and names that do not exist or cannot be combined.
    """
    if recipe.dialect.version_is_variation:
        requested = _with_version(recipe, requested, inputs, scope.env)
    resolved = ResolvedRecipe(
        recipe, choose(recipe.meta, requested, bases_first=recipe.dialect.bases_first), scope
    )
    _apply_recipe(resolved, inputs)
    _apply_variations(resolved, inputs)
    _apply_version(resolved, inputs)
    resolved.add_to_dependencies(additions(inputs, "ad", "add_deps"))
    resolved.add_recursively(
        additions(inputs, "adr", "add_deps_recursive"), inputs.get("env") or resolved.env
    )
    resolved.fill()
    return resolved


def _with_version(recipe: Recipe, requested: tuple[str, ...], inputs: Given, env: Given) -> tuple[str, ...]:
    """Adds the variation `version.V` for a requested version V, if the recipe has that variation."""
    version = asked(inputs, env, recipe.meta, recipe.dialect.prefix).version
    name = f"version.{version}"
    known = name in recipe.variations or "version.#" in recipe.variations
    return (*requested, name) if version and known and name not in requested else requested


def _apply_recipe(resolved: ResolvedRecipe, inputs: Given) -> None:
    meta, env, dialect = resolved.recipe.meta, resolved.env, resolved.dialect
    with env.written_by(f"default_env of {resolved.recipe.alias}"):
        for key, value in (meta.get("default_env") or {}).items():
            env.setdefault(key, value)
    with env.written_by(f"env of {resolved.recipe.alias}"):
        resolved.set_env(meta.get("env") or {})
    dialect.merge(resolved.state, meta.get("state") or {})
    mapping = meta.get("input_mapping") or {}
    with env.written_by("input"):
        resolved.map_inputs(env, inputs, mapping)
    if dialect.inputs_are_const:
        resolved.map_inputs(resolved.const, inputs, mapping)
    if dialect.recipe_has_const:
        resolved.const.update(meta.get("const") or {})
    resolved.apply_const()
    resolved.set_docker(meta)
    if dialect.recipe_has_conditions:
        with env.written_by(f"update_meta_if_env of {resolved.recipe.alias}"):
            resolved.apply_conditional(meta)


def _apply_variations(resolved: ResolvedRecipe, inputs: Given) -> None:
    variations, dialect = resolved.recipe.variations, resolved.dialect
    applied = [name for name in resolved.choice.applied if not name.startswith(("~", "-"))]
    complete = _complete_combinations(
        variations, resolved.choice.applied, dynamic=dialect.dynamic_combinations
    )
    disk: dict[str, float] = {}
    for place, name in enumerate(applied, 1):
        combinations = complete if dialect.combinations_after_each or place == len(applied) else {}
        for block_name, block in {name: _variation_block(variations, name), **combinations}.items():
            resolved.apply(block, f"variation _{block_name}", inputs)
            resolved.default_version = str(block.get("default_version") or resolved.default_version)
            if block.get("required_disk_space"):
                disk[block_name] = block["required_disk_space"]
            merge_additions(resolved.adr, additions(block, "adr", "add_deps_recursive"))
    if disk:
        resolved.warnings.append(f"Required disk space: {sum(disk.values())} MB")
    resolved.warnings = list(dict.fromkeys(resolved.warnings))
    resolved.add_recursively(resolved.adr)


def _complete_combinations(variations: Given, applied: Sequence[str], *, dynamic: bool) -> dict[str, Values]:
    """The blocks of the combinations that have all their members selected, those with few members first.

    With `dynamic`, one member may be `n.#`, which any selected `n.…` matches.
    """
    found = {}
    for name in sorted((name for name in variations if "," in name), key=lambda name: name.count(",")):
        members = name.split(",")
        open_ones = [member for member in members if dynamic and member.endswith(".#")]
        fitting = [one for one in applied if open_ones and dynamic_name(one) == open_ones[0]]
        if len(open_ones) > 1 or (open_ones and not fitting):
            continue
        if set(members) - set(open_ones) <= set(applied):
            block = variations[name] or {}
            found[name] = _with_suffix(block, fitting[0].partition(".")[2]) if fitting else block
    return found


def _variation_block(variations: Given, name: str) -> Values:
    """The block of a variation. For `x.7`, described as `x.#`, it is a copy with every `#` in its texts replaced."""
    if name in variations:
        return variations[name] or {}
    return _with_suffix(variations.get(static_name(name, variations)) or {}, name.partition(".")[2])


def _with_suffix(block: Values, suffix: str) -> Values:
    """A copy of a `.#` block for one suffix."""
    replaced = _replace_hash(copied(block), suffix)
    return replaced if isinstance(replaced, dict) else {}


def _replace_hash(value: Any, suffix: str) -> Any:
    if isinstance(value, str):
        return value.replace("#", suffix)
    if isinstance(value, list):
        return [_replace_hash(item, suffix) for item in value]
    if isinstance(value, dict):
        return {key: _replace_hash(item, suffix) for key, item in value.items()}
    return value


def _apply_version(resolved: ResolvedRecipe, inputs: Given) -> None:
    prefix = resolved.dialect.prefix
    resolved.versions = asked(inputs, resolved.env, resolved.recipe.meta, prefix)
    with resolved.env.written_by("version asked for"):
        for name, value in zip(KEYS, resolved.versions):
            if value:
                resolved.env[prefix + name] = value
    block = (resolved.recipe.meta.get("versions") or {}).get(resolved.versions.version)
    if block:
        resolved.apply(block, f"version {resolved.versions.version}", inputs)
        merge_additions(resolved.adr, additions(block, "adr", "add_deps_recursive"))
        resolved.add_recursively(resolved.adr)


def apply_default_version(resolved: ResolvedRecipe, inputs: Given) -> str:
    """Applies the recipe's default version within the bounds, for a request without a version. Returns it; empty
    when there is none."""
    version = resolved.versions.default(resolved.default_version)
    if not version:
        return ""
    with resolved.env.written_by("default version"):
        resolved.env[resolved.dialect.key("VERSION")] = version
    resolved.fill()
    block = (resolved.recipe.meta.get("versions") or {}).get(resolved.default_version)
    if block:
        resolved.apply(block, f"version {resolved.default_version}", inputs)
        merge_additions(resolved.adr, block.get("add_deps_recursive") or {})
    return version
