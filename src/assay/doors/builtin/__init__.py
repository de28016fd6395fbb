"""Recipes of our own: they own the tags of the benchmark itself, for who asks for exactly these.

Each is a folder with a `meta.yaml` (what a recipe of a repository has) and an `action.py` with
`action(call) -> Answer`. The runner knows none of them; whoever starts it registers them with `registered`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.ground.errors import AssayError
from assay.recipes.builtin import Builtin
from assay.recipes.errors import GENERAL, RecipeFault
from assay.recipes.resolve import ResolvedRecipe

if TYPE_CHECKING:  # every run of any recipe looks at the table below: what acts is imported when it acts
    from assay.doors.builtin.call import Call, Deliver

HERE = Path(__file__).parent
BENCHMARKS = ("app_mlperf_inference", "run_mlperf_inference")
TAGS: Mapping[str, tuple[str, ...]] = {
    "app_mlperf_inference": ("app,mlperf,inference", "app,mlperf,inference,generic"),
    "run_mlperf_inference": (
        "run-mlperf,inference",
        "run-mlperf-inference",
        "run,mlperf,inference",
        "run,mlperf,inference,generate-run-cmds",
    ),
    "get_ml_model_mixtral": ("get,ml-model,mixtral", "get,ml-model,mixtral-8x7b"),
    "get_dataset_mixtral": ("get,dataset-mixtral,openorca-mbxp-gsm8k-combined", "get,dataset-mixtral"),
    "process_mlperf_accuracy": ("process,mlperf,accuracy", "run,accuracy,mlperf"),
    "generate_submission": ("generate,mlperf,inference,submission", "generate,submission,mlperf"),
    "submission_checker": (
        "run,mlperf,inference,submission,checker",
        "mlperf,submission,checker",
    ),
    "sut_description": ("get,sut,description", "get,mlperf,sut,description"),
    "detect_os": ("detect,os",),
    "detect_cpu": ("detect,cpu",),
}
"""Folder -> the sets of tags that it owns."""
FALLBACKS = frozenset({"detect_os", "detect_cpu"})
"""They answer only where no pulled repository has these tags: others write more variables."""


def registered(deliver: Deliver, say: Callable[[str], None], environ: Mapping[str, str]) -> list[Builtin]:
    """All of them, for the runner. `environ` is looked into for HF_TOKEN and HF_ENDPOINT alone."""

    def acting(name: str) -> Callable[[ResolvedRecipe, Mapping[str, Any]], dict[str, Any]]:
        return lambda resolved, inputs: _act(name, resolved, inputs, deliver, say, environ)

    return [
        Builtin(HERE / name, name, frozenset(tags.split(",")), acting(name), name in FALLBACKS)
        for name, sets in TAGS.items()
        for tags in sets
    ]


def _act(
    name: str,
    resolved: ResolvedRecipe,
    inputs: Mapping[str, Any],
    deliver: Deliver,
    say: Callable[[str], None],
    environ: Mapping[str, str],
) -> dict[str, Any]:
    """Do it. Raises: RecipeFault (1), as CM does for whatever goes wrong in a recipe."""
    from assay.doors import cm
    from assay.doors.builtin.call import Call
    from assay.ground.hub import ENDPOINT, Hub

    mapping = cm.canonical_mapping(resolved.recipe.meta.get("input_mapping") or {})
    selection, env = cm.asked_by(inputs, mapping)
    call = Call(
        selection=selection,
        env=cm.canonical(env),
        defaults=cm.canonical(resolved.recipe.meta.get("default_env") or {}),
        prefix=resolved.recipe.dialect.prefix,
        say=say,
        deliver=deliver,
        hub=Hub(environ.get("HF_ENDPOINT") or ENDPOINT, environ.get("HF_TOKEN") or None),
    )
    try:
        if name in BENCHMARKS:
            _tell(call, inputs, mapping)
        answer: dict[str, Any] = importlib.import_module(f"assay.doors.builtin.{name}.action").action(call)
    except RecipeFault:
        raise
    except AssayError as error:
        raise RecipeFault(error.message, GENERAL, error.hint) from error
    return answer


def _tell(call: Call, inputs: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
    """What was given twice, and what nobody claims: one line each. Raises: ConfigError under --strict."""
    from assay.doors import cm_claims
    from assay.doors.cm_settings import is_on

    notes = [
        cm_claims.repeated(inputs.get("cmd") or []),
        cm_claims.tell_unclaimed(
            cm_claims.unclaimed(call.env, mapping.values()), strict=is_on(inputs.get("strict", ""))
        ),
    ]
    for note in notes:
        if note is not None:
            call.say(f"assay: {note}")
