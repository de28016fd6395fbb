"""Explains a recipe: its description, the origin of each value, and why the cache has or lacks a fitting entry."""

from __future__ import annotations

from collections.abc import Iterator

from assay.recipes.contract.secrets import hidden
from assay.recipes.home.candidates import candidates
from assay.recipes.home.store import KEY_FIELD, Store
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.resolve import apply_default_version
from assay.recipes.model.selection import Selection
from assay.recipes.run.builtin import owned
from assay.recipes.run.context import Answer, Context, Found, Inputs
from assay.recipes.run.request import RecipeRequest, answer_request, name_and_tags, scope_of
from assay.recipes.values import Given, Values


def describe(context: Context, inputs: Inputs) -> Answer:
    """Prints tags, variations and inputs of all recipes that match a request. Returns them as `list`."""
    inputs = dict(inputs)
    name = name_and_tags(inputs, context.dialect)
    own = own_recipe(context, inputs)
    recipes = [own] if own else candidates(context.index, Selection.parse(inputs.get("tags")), name)
    for recipe in recipes:
        with recipe.errors_attributed():
            context.console.say("\n".join(_description(recipe)))
    return {"return": 0, "list": [Found(context, recipe.artifact) for recipe in recipes]}


def _description(recipe: Recipe) -> Iterator[str]:
    yield f"{recipe.alias}  ({recipe.folder})"
    yield f"  uid: {recipe.uid}"
    yield f"  tags: {','.join(recipe.tags)}"
    if recipe.variations:
        yield "  variations:"
    for variation, block in sorted(recipe.variations.items()):
        block = block or {}
        group = f"  group {block['group']}" if block.get("group") else ""
        yield f"    _{variation}{group}{', default' if block.get('default') else ''}"
    described: Given = recipe.meta.get("input_description") or {}
    mapping: Given = recipe.meta.get("input_mapping") or {}
    if mapping or described:
        yield "  inputs:"
    for key in sorted({*mapping, *described}):
        about = described.get(key)
        text = about.get("desc", "") if isinstance(about, dict) else about or ""
        yield f"    --{key}  {mapping.get(key, '')}  {text}".rstrip()


def own_recipe(context: Context, inputs: Inputs) -> Recipe | None:
    """The built-in recipe for a request; None when there is none."""
    answering = owned(context.builtins, context.index, inputs, context.console.note)
    return answering.recipe if answering else None


def explanation(context: Context, inputs: Inputs) -> Values:
    """The resolved request, with the origin of every variable and the reason for every variation."""
    request = answer_request(
        context.index, inputs, scope_of(inputs), context.host_env, recipe=own_recipe(context, inputs)
    )
    resolved = request.resolved
    if not resolved.versions.version:
        apply_default_version(resolved, request.inputs)
    resolved.apply_const()
    return {
        "recipe": str(resolved.recipe),
        "folder": str(resolved.recipe.folder),
        "variations": [
            {"name": name, "because": resolved.choice.reasons.get(name, "")}
            for name in resolved.choice.applied
        ],
        "groups": resolved.choice.chosen(),
        "env": {
            key: {"value": hidden(value, key), "origin": resolved.env.origin.get(key, "")}
            for key, value in sorted(resolved.env.items())
        },
        "dependencies": {
            phase: [e.get("tags") for e in entries] for phase, entries in resolved.entries.items()
        },
        "exports": sorted(set(resolved.new_env_keys)),
        "warnings": resolved.warnings,
    }


def explanation_text(found: Given) -> str:
    lines = [f"{found['recipe']}  ({found['folder']})", "", "variations:"]
    lines += [f"  _{item['name']:<30} {item['because']}" for item in found["variations"]] or ["  none"]
    lines += ["", "variables:"]
    width = max((len(key) for key in found["env"]), default=0)
    for key, item in found["env"].items():
        lines.append(f"  {key:<{width}} = {item['value']!s}   <- {item['origin']}")
    return "\n".join(lines)


def why(context: Context, inputs: Inputs) -> Values:
    """Which cache entries fit a request, which do not, and what those lack."""
    request = answer_request(
        context.index, inputs, scope_of(inputs), context.host_env, recipe=own_recipe(context, inputs)
    )
    store = Store(context.index)
    recipe = request.resolved.recipe
    exact = str(inputs.get("cache") or "cm") == "exact"
    answer: Values = {
        "recipe": str(recipe),
        "caches": request.may_cache(),
        "tags": request.tags(),
        "key": request.key().as_json(),
        "rule": "exact" if exact else "cm",
        "hits": [],
        "misses": [],
    }
    if not request.may_cache():
        answer["reason"] = _why_not_cached(request)
        return answer
    lookup = request.look_up(store, exact=exact)
    key = request.key()
    answer["hits"] = [
        {"path": str(e.path), "differs": key.differences(e.description.get(KEY_FIELD))}
        for e in lookup.entries
    ]
    answer["misses"] = [{"path": str(r.entry.path), "because": r.reason} for r in lookup.rejected]
    seen = {item["path"] for item in (*answer["hits"], *answer["misses"])}
    for entry, lacking in store.nearest(request.tags(), recipe.uid):
        if str(entry.path) not in seen:
            answer["misses"].append(
                {"path": str(entry.path), "because": f"lacks the tags {','.join(lacking)}"}
            )
    return answer


def _why_not_cached(request: RecipeRequest) -> str:
    flags = request.flags
    for name, on in (("--skip_cache", flags.skip_cache), ("--fake_run", flags.fake_run)):
        if on:
            return f"{name} was given"
    return "the recipe does not keep its results (no `cache: true`)"


def why_text(answer: Given) -> str:
    lines = [f"{answer['recipe']}", f"  asks the cache for: {','.join(answer['tags'])}"]
    if not answer["caches"]:
        return "\n".join([*lines, f"  never from the cache: {answer['reason']}"])
    for hit in answer["hits"]:
        lines.append(f"  HIT  {hit['path']}")
        lines += [f"       not part of the rule, yet different: {text}" for text in hit["differs"]]
    lines += [f"  MISS {miss['path']}: {miss['because']}" for miss in answer["misses"]]
    if not answer["hits"] and not answer["misses"]:
        lines.append("  MISS nothing of this recipe is in the cache")
    return "\n".join(lines)
