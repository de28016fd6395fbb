"""What a cache entry must have to be used for a request: CM's tags, and with `--cache=exact` the whole key (pure)."""

from __future__ import annotations

from assay.recipes.contract.flags import Flags
from assay.recipes.contract.secrets import hidden
from assay.recipes.home.cache_key import CacheKey, recipe_digest
from assay.recipes.model.resolved import ResolvedRecipe
from assay.recipes.model.selection import Selection, cache_tag
from assay.recipes.model.template import fill
from assay.recipes.values import Given, Values

# Inputs that say how to run, not what to run. They are not part of a CacheKey.
_HOW_TO_RUN = """
action automation artifact artifacts cmd out tags quiet silent s verbose v new renew time json j local print_env
print_deps print_versions print_readme dump_version_info save_env dirty shell repro space env state const const_state
adr ad add_deps add_deps_recursive names fake_deps skip_cache force_cache cache lock allow_sudo user_python
compat recipes debug_script_tags
"""
HOW_TO_RUN = frozenset(_HOW_TO_RUN.split())


def lookup_tags(resolved: ResolvedRecipe, selection: Selection, inputs: Given, flags: Flags) -> list[str]:
    """The tags that an entry must have. A new entry gets them first. Rule and order are CM's."""
    env, prefix = resolved.env, resolved.recipe.dialect.prefix
    tags = list(dict.fromkeys([*selection.tags, *resolved.recipe.tags]))
    names = selection.variations
    if resolved.recipe.dialect.resolved_variations_in_cache_tags:
        names = tuple(dict.fromkeys([*resolved.choice.applied, *(n for n in names if n.startswith("-"))]))
    tags += [cache_tag(name) for name in names]
    if resolved.versions.version:
        tags.append(f"version-{resolved.versions.version}")
    extra = [*str(env.get(prefix + "EXTRA_CACHE_TAGS") or "").split(",")]
    extra += [str(fill(tag, _Known(env))) for tag in flags.extra_cache_tags.split(",")]
    if env.get(prefix + "NAME"):
        extra.append("name-" + str(env[prefix + "NAME"]).strip().lower())
    tags += [tag for tag in extra if tag]
    tags += tags_from_env(resolved.recipe.meta, env)
    return list(dict.fromkeys(tags))


def tags_from_env(meta: Given, env: Given) -> list[str]:
    """The tags `deps-<prefix><part>` for the variables that belong to a recipe's cache tags."""
    tags = []
    for item in meta.get("extra_cache_tags_from_env") or []:
        value = str(env.get(item["env"], "")).strip()
        tags += [f"deps-{item.get('prefix', '')}{part}" for part in value.split(",") if value]
    return list(dict.fromkeys(tags))


class _Known(Values):
    """An env in which every placeholder is known. An unset one is empty, as in CM's extra cache tags."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return ""


def cache_key(resolved: ResolvedRecipe, inputs: Given) -> CacheKey:
    """The key of a run. Two runs of this recipe with equal keys are the same."""
    mapping = resolved.recipe.meta.get("input_mapping") or {}
    mapped = {
        name: str(hidden(inputs[name], name)) for name in mapping if name in inputs and name not in HOW_TO_RUN
    }
    return CacheKey(
        recipe=str(resolved.recipe),
        digest=recipe_digest(resolved.recipe.folder),
        variations=tuple(resolved.choice.applied),
        version=resolved.versions.version,
        inputs=tuple(sorted(mapped.items())),
    )
