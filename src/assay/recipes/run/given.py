"""The values that a hook gets about its own run, with the tool's names: `run_state`, and `input`, the request.

Source: what hooks get from cmind 4.2.0 with the engine of cm4mlops at 3a601227, and from mlcflow 1.3.8.
`tests/differential/compare.py --probe` prints both beside ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assay.recipes.contract.dialect import SCRIPT_UID
from assay.recipes.contract.flags import INPUTS_TO_ENV, NESTED, RUNNER_INPUTS
from assay.recipes.model.recipe import PHASES, Recipe
from assay.recipes.run.call import APART, RecipeCall
from assay.recipes.run.request import RecipeRequest
from assay.recipes.run.session import RunSession
from assay.recipes.values import Given, Values


def run_state(session: RunSession, call: RecipeCall, request: RecipeRequest, asked: list[str]) -> Values:
    """The state of one recipe's run. `asked` is the list of tags of its dependencies; it grows during the run."""
    resolved, selection = request.resolved, request.selection
    recipe = resolved.recipe
    dialect = recipe.dialect
    above = call.above if dialect.run_state_is_handed_down else {}
    state = {key: value for key, value in above.items() if key != "deps"}
    state |= {
        "fake_deps": session.fake_deps,
        "parent": call.parent,
        "version_info": session.version_info,
        "script_id": str(recipe),
        "script_tags": list(selection.tags),
        "script_variation_tags": list(selection.variations),
        **_repository("script_repo", recipe),
        "variation_groups": {
            name: {"variations": list(group.members), **({"default": group.default} if group.default else {})}
            for name, group in resolved.choice.groups.items()
        },
    }
    if session.silent:
        state["tmp_silent"] = True
    if session.verbose and dialect.step_tells_verbosity:
        state["tmp_verbose"] = True
    if not call.depth:
        state["script_entry_repo_to_report_errors"] = recipe.meta.get("repo_to_report_errors", "")
        state |= _repository("script_entry_repo", recipe)
    return state | (_with_lists if dialect.run_state_holds_lists else _without_lists)(request, asked)


def _repository(name: str, recipe: Recipe) -> Values:
    description = recipe.repository.description
    return {f"{name}_alias": description.get("alias", ""), f"{name}_git": description.get("git", False)}


def _without_lists(request: RecipeRequest, asked: list[str]) -> Values:
    resolved = request.resolved
    blocks = resolved.choice.applied or resolved.versions.version in (
        resolved.recipe.meta.get("versions") or {}
    )
    return {
        "deps": asked,
        "default_version": resolved.default_version,
        **({"update_meta_if_env": resolved.conditional} if blocks else {}),
    }


def _with_lists(request: RecipeRequest, asked: list[str]) -> Values:
    """The lists that the tool itself works on. Hooks may extend them."""
    resolved = request.resolved
    meta = resolved.recipe.meta
    versions = meta.get("versions") or {}
    found = versions.get(resolved.versions.version)
    return {
        "full_deps": asked,
        "cache": meta.get("cache", False),
        "cache_expiration": request.cache_expiration() or False,
        "docker": resolved.docker,
        "new_env_keys": resolved.new_env_keys,
        "new_state_keys": resolved.new_state_keys,
        "update_meta_if_env": resolved.conditional,
        **{phase: resolved.entries[phase] for phase in PHASES},
        **{name: meta.get(name) or {} for name in ("remote_run", "apptainer")},
        **{name: meta.get(name) or [] for name in ("file_path_env_keys", "folder_path_env_keys")},
        "input_mapping": meta.get("input_mapping") or {},
        **({"version_meta": found} if found else {}),
    }


def hook_input(session: RunSession, call: RecipeCall, request: RecipeRequest, state: Values) -> Values:
    """The request in the form that the tool passes to a hook. A dependency gets all values passed down to it."""
    dialect, inputs = session.home.dialect, call.inputs
    live = {name: getattr(request.resolved, name) for name in APART}
    if not call.depth:
        return dialect.top_input(inputs, {name: value for name, value in live.items() if name in inputs})
    told = {
        "remembered_selections": session.chooser.shown,
        "verbose": session.verbose,
        "silent": session.silent,
        "automation": f"script{dialect.owner_separator}{SCRIPT_UID}",
        "recursion_spaces": call.indent,
        "recursion": True,
        "run_state": state,
        **live,
    }
    return dialect.nested_input(inputs, told)


def misspelt(inputs: Given, recipe: Recipe) -> Iterator[str]:
    """A sentence for each flag that is none of the recipe's or the runner's, and is near to one of the recipe's.

    A flag that is near to none is left to the recipe's hooks, which see them all.
    """
    from assay.ground.nearness import nearest  # only a flag that nobody knows needs it

    flags = {*(recipe.meta.get("input_mapping") or {}), *(recipe.meta.get("input_description") or {})}
    known = {*flags, *RUNNER_INPUTS, *INPUTS_TO_ENV, *recipe.dialect.more_inputs_to_env, *NESTED}
    for key in inputs:
        if key not in known and (near := nearest(key, sorted(flags))):
            yield f"--{key} is no flag of {recipe.alias}; did you mean --{near[0]}?"


class GivenArtifact:
    """The object that hooks get as `artifact`: the recipe with the tool's attributes."""

    def __init__(self, recipe: Recipe) -> None:
        repository = recipe.repository
        self.path = str(recipe.folder)
        self.meta = self.original_meta = recipe.meta
        self.repo_path = str(repository.path)
        self.repo_meta = repository.description
        self.repo = _GivenRepository(self.repo_path, self.repo_meta)


class _GivenRepository:
    def __init__(self, path: str, meta: Values) -> None:
        self.path = path
        self.meta = meta


def repro_prefix(tool: str, inputs: Given, folder: Path) -> Path:
    """The common beginning of all file paths of `--repro`."""
    prefix = str(inputs.get("repro_prefix") or f"{tool}-run-script")
    return folder / str(inputs.get("repro_dir") or f"{tool}-repro") / prefix
