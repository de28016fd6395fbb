"""What a hook is told of its own run, in the names of the tool: `run_state`, and `input`, the request itself.

Source: what hooks get from cmind 4.2.0 with the engine of cm4mlops at 3a601227, and from mlcflow 1.3.8
(`tests/differential/compare.py --probe` shows both beside ours).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.recipes.contract.dialect import SCRIPT_UID
from assay.recipes.model.names import split_repository
from assay.recipes.model.recipe import PHASES, Recipe
from assay.recipes.run.call import Call
from assay.recipes.run.request import Request
from assay.recipes.run.session import Session
from assay.recipes.typing_stub import Any

APART = ("env", "state", "const", "const_state")  # of an entry: they go into the scope, not into the inputs
NOT_IN_MLC = (
    "action",
    "automation",
    "cmd",
    "artifact",
    "artifacts",
    "verbose",
    "silent",
)  # of its top-level input


def run_state(session: Session, call: Call, request: Request, asked: list[str]) -> dict[str, Any]:
    """The state of one recipe's run. `asked` are the tags of its dependencies so far; it grows.

    CM gives a dependency a copy of its caller's state, MLC a new one.
    """
    resolved, selection = request.resolved, request.selection
    recipe = resolved.recipe
    mlc = recipe.dialect.name == "mlc"
    state = {} if mlc else {key: value for key, value in call.above.items() if key != "deps"}
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
    if session.verbose and not mlc:
        state["tmp_verbose"] = True
    if not call.depth:
        state["script_entry_repo_to_report_errors"] = recipe.meta.get("repo_to_report_errors", "")
        state |= _repository("script_entry_repo", recipe)
    return state | (_of_mlc(request, asked) if mlc else _of_cm(request, asked))


def _repository(name: str, recipe: Recipe) -> dict[str, Any]:
    description = recipe.repository.description
    return {f"{name}_alias": description.get("alias", ""), f"{name}_git": description.get("git", False)}


def _of_cm(request: Request, asked: list[str]) -> dict[str, Any]:
    resolved = request.resolved
    blocks = resolved.choice.applied or resolved.versions.version in (
        resolved.recipe.meta.get("versions") or {}
    )
    return {
        "deps": asked,
        "default_version": resolved.default_version,
        **({"update_meta_if_env": resolved.conditional} if blocks else {}),
    }


def _of_mlc(request: Request, asked: list[str]) -> dict[str, Any]:
    """MLC keeps here what it works on, so hooks may extend these lists."""
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


def hook_input(session: Session, call: Call, request: Request, state: dict[str, Any]) -> dict[str, Any]:
    """The request as the tool hands it to a hook. A dependency carries all that it was given."""
    mlc = session.home.dialect.name == "mlc"
    inputs = dict(call.inputs)
    resolved = request.resolved
    live = {name: getattr(resolved, name) for name in APART}
    if not call.depth:
        given = {name: live[name] for name in APART if name in inputs}
        if not mlc:
            return {**inputs, **given, **parsed_names(inputs)}
        words = inputs.get("cmd") or []
        kept = {name: value for name, value in inputs.items() if name not in NOT_IN_MLC}
        if details := [word for word in words if not str(word).startswith("-")]:
            given["details"] = details[0]
        return {**kept, **given, "mlc_run_cmd": " ".join(["mlc run script", *map(str, words)])}
    nested = {
        "automation": f"script, {SCRIPT_UID}" if mlc else f"script,{SCRIPT_UID}",
        "recursion_spaces": call.indent,
        "recursion": True,
        "run_state": state,
        **live,
    }
    if mlc:
        del inputs["action"]
        return {**inputs, **nested}
    said = {
        "remembered_selections": session.chooser.shown,
        "verbose": session.verbose,
        "silent": session.silent,
    }
    return {**inputs, **said, **nested, **parsed_names(inputs)}


def parsed_names(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The names of a request in the parts that CM makes of them: (alias, uid), and that of the repository behind it."""
    names: dict[str, Any] = {"parsed_automation": [("script", SCRIPT_UID)]}
    artifact = str(inputs.get("artifact") or "")
    if artifact and " " not in artifact:
        repository, name = split_repository(artifact)
        names["parsed_artifact"] = [tuple(name), *([tuple(repository)] if repository else [])]
    return names


class GivenArtifact:
    """What hooks find as `artifact`: the recipe as the tool describes it."""

    def __init__(self, recipe: Recipe) -> None:
        repository = recipe.repository
        self.path = str(recipe.folder)
        self.meta = self.original_meta = recipe.meta
        self.repo_path = str(repository.path)
        self.repo_meta = repository.description
        self.repo = _GivenRepository(self.repo_path, self.repo_meta)


class _GivenRepository:
    def __init__(self, path: str, meta: dict[str, Any]) -> None:
        self.path = path
        self.meta = meta


def repro_prefix(tool: str, inputs: Mapping[str, Any], folder: Path) -> Path:
    """What the paths of the files of `--repro` begin with."""
    prefix = str(inputs.get("repro_prefix") or f"{tool}-run-script")
    return folder / str(inputs.get("repro_dir") or f"{tool}-repro") / prefix
