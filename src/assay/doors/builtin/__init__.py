"""Recipes of our own for the tags of the benchmark itself, used when a caller asks for exactly these tags.

Each is a folder with a `meta.yaml` (what a recipe of a repository has) and an `action.py` with
`action(call) -> Answer`; those that fetch a model or dataset act in `published.py`. The runner knows none of them;
whoever starts it registers them with `registered`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.ground.errors import AssayError, ConfigError
from assay.recipes.errors import GENERAL, RecipeFault
from assay.recipes.model.recipe import Recipe
from assay.recipes.run.builtin import Action, Builtin, Declines

if TYPE_CHECKING:  # every run of any recipe looks at the table below: what acts is imported when it acts
    from assay.config import BenchmarkConfig, Request
    from assay.doors.builtin.call import BuiltinCall, Deliver

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
    "get_ml_model_llama2": ("get,ml-model,llama2", "get,ml-model,llama2-70b"),
    "get_ml_model_llama3": ("get,ml-model,llama3", "get,ml-model,llama3-405b"),
    "get_ml_model_gptj": ("get,ml-model,gptj", "get,ml-model,gpt-j"),
    "get_ml_model_deepseek_r1": ("get,ml-model,deepseek-r1", "get-ml-model-deepseek-r1"),
    "get_ml_model_gpt_oss": ("get-ml-model-gpt-oss", "get,ml-model,gpt-oss"),
    "get_dataset_mixtral": ("get,dataset-mixtral,openorca-mbxp-gsm8k-combined", "get,dataset-mixtral"),
    "get_dataset_openorca": (
        "get,preprocessed,dataset,openorca",
        "get,dataset,openorca",
        "get,dataset,openorca,original",
    ),
    "get_dataset_cnndm": (
        "get,dataset,cnndm",
        "get,dataset,cnn-dailymail",
        "get,dataset,cnndm,original",
        "get,dataset,gpt-j,cnndm",
    ),
    "get_dataset_llama3": ("get,dataset,mlperf,inference,llama3", "get,dataset,llama3"),
    "get_dataset_deepseek_r1": (
        "get,preprocessed,dataset,deepseek-r1",
        "get,preprocessed,dataset,mlperf,deepseek-r1",
        "get,preprocessed,dataset,mlperf-deepseek-r1",
    ),
    "get_dataset_gpt_oss": ("get-dataset-mlperf-inference-gpt-oss", "get,dataset,gpt-oss"),
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
FETCHING = ("get_ml_model_", "get_dataset_")
"""How the folders begin whose recipes act in `published.py`."""
FALLBACKS = frozenset({"detect_os", "detect_cpu"})
"""They answer only where no pulled repository has these tags: others write more variables."""


def registered(deliver: Deliver, say: Callable[[str], None], environ: Mapping[str, str]) -> list[Builtin]:
    """All of them, for the runner. `environ` is looked into for the hub's variables alone."""

    def acting(name: str) -> Action:
        return lambda resolved, inputs, fake: _act(
            name, _call(resolved.recipe, inputs, deliver, say, environ), inputs, fake=fake
        )

    def declining(name: str) -> Declines:
        return lambda recipe, inputs: _declines(name, _call(recipe, inputs, deliver, say, environ))

    return [
        Builtin(
            HERE / name,
            name,
            tuple(tags.split(",")),
            acting(name),
            name in FALLBACKS,
            declining(name),
        )
        for name, sets in TAGS.items()
        for tags in sets
    ]


def _call(
    recipe: Recipe,
    inputs: Mapping[str, Any],
    deliver: Deliver,
    say: Callable[[str], None],
    environ: Mapping[str, str],
) -> BuiltinCall:
    from assay.doors import cm
    from assay.doors.builtin.call import BuiltinCall
    from assay.doors.hub_settings import hub_of

    selection, env = cm.asked_by(inputs, _mapping(recipe))
    return BuiltinCall(
        selection=selection,
        env=cm.canonical(env),
        defaults=cm.canonical(recipe.meta.get("default_env") or {}),
        mapping=_mapping(recipe),
        prefix=recipe.dialect.prefix,
        say=say,
        deliver=deliver,
        hub=hub_of(environ),
    )


def _mapping(recipe: Recipe) -> dict[str, str]:
    from assay.doors import cm

    return cm.canonical_mapping(recipe.meta.get("input_mapping") or {})


def benchmark(recipe: Recipe, inputs: Mapping[str, Any]) -> Request | None:
    """What a recipe of the benchmark itself would measure; None of any other recipe. Raises: ConfigError."""
    from assay.config import Request
    from assay.doors import cm, cm_delivery

    if recipe.folder not in [HERE / name for name in BENCHMARKS]:
        return None
    selection, given = cm.asked_by(inputs, _mapping(recipe))
    env = cm.canonical(given)
    usual = cm.canonical(recipe.meta.get("default_env") or {})
    return Request(cm.from_cm(selection, env, usual), cm_delivery.delivery(selection, env))


def _declines(name: str, call: BuiltinCall) -> str:
    """Why the benchmark, model or dataset that is asked for is none of Assay's, or nothing."""
    if name.startswith(FETCHING):
        from assay.doors.builtin import published

        return published.declines(call)
    if name not in BENCHMARKS:
        return ""
    from assay.doors import cm
    from assay.doors.cm_refused import NotOffered

    try:
        cm.from_cm(call.selection, call.env, call.defaults)
    except NotOffered as refused:
        is_near = refused.hint.startswith("did you mean")
        return f"{refused.message}, {refused.hint}" if is_near else refused.message
    except ConfigError:  # told when it is run
        pass
    return ""


def _act(name: str, call: BuiltinCall, inputs: Mapping[str, Any], *, fake: bool) -> dict[str, Any]:
    """Do it, or say what it would be. Raises: RecipeFault (1), as CM does for whatever goes wrong in a recipe."""
    try:
        if name not in FALLBACKS:
            _tell(call, inputs, _measured(call) if name in BENCHMARKS else None)
        if fake:
            return _pretend(name, call)
        if name.startswith(FETCHING):
            from assay.doors.builtin import published

            return published.act(name, call)
        answer: dict[str, Any] = importlib.import_module(f"assay.doors.builtin.{name}.action").action(call)
    except RecipeFault:
        raise
    except AssayError as error:
        raise RecipeFault(error.message, GENERAL, error.hint) from error
    return answer


def _pretend(name: str, call: BuiltinCall) -> dict[str, Any]:
    """A fake run: nothing is run, fetched or written; of a benchmark it is said what would be measured."""
    if name in BENCHMARKS:
        import shlex

        from assay.doors import cm

        config = cm.from_cm(call.selection, call.env, call.defaults)
        call.say(f"assay: nothing is run; in full this is: {shlex.join(cm.command(config))}")
    return call.answer({})


def _measured(call: BuiltinCall) -> BenchmarkConfig | None:
    """None where the request is no benchmark: then it ends with the reason."""
    from assay.doors import cm

    try:
        return cm.from_cm(call.selection, call.env, call.defaults)
    except ConfigError:
        return None


def _tell(call: BuiltinCall, inputs: Mapping[str, Any], config: BenchmarkConfig | None) -> None:
    """What was given twice, and what nobody claims: one line each. Raises: ConfigError under --strict."""
    from assay.doors import cm_claims
    from assay.doors.cm_settings import is_on

    ignored = [
        *cm_claims.unclaimed(call.env, call.mapping.values(), config.workload if config else ""),
        *(cm_claims.idle(config) if config else ()),
        *cm_claims.unclaimed_inputs(inputs, call.mapping),
    ]
    notes = [
        cm_claims.repeated(inputs.get("cmd") or []),
        cm_claims.moved(call.env),
        cm_claims.tell_unclaimed(ignored, strict=is_on(inputs.get("strict", ""))),
    ]
    for note in notes:
        if note is not None:
            call.say(f"assay: {note}")
