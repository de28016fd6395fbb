"""What the get-ml-model and get-dataset recipes of our own give: a published model, a published dataset, or the path
that was named instead.

Which workload a recipe means is said by its variations; source, file and size are the workload's own. What upstream's
recipes do beyond that is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.config import Precision
from assay.doors import cm_artifacts
from assay.doors.builtin.call import Answer, BuiltinCall
from assay.ground import files, memory, settings
from assay.ground.errors import ArtifactError
from assay.mlperf import workloads
from assay.mlperf.workloads import artifact
from assay.mlperf.workloads.workload import PublishedModel, Workload

STUB = "stub."
Choices = Mapping[str, str]
"""Variations, with a comma between them -> workload; "" is meant without any."""

MODELS: Mapping[str, Choices] = {
    "get_ml_model_mixtral": {"": "mixtral-8x7b"},
    "get_ml_model_llama2": {"": "llama2-70b-99"},
    "get_ml_model_llama3": {
        "": "llama3.1-405b",
        "8b": "llama3.1-8b",
        "meta-llama/Llama-3.1-8B-Instruct": "llama3.1-8b",
    },
    "get_ml_model_gptj": {"": "gptj-99"},
    "get_ml_model_deepseek_r1": {"": "deepseek-r1"},
    "get_ml_model_gpt_oss": {"": "gpt-oss-120b"},
}
DATASETS: Mapping[str, Choices] = {
    "get_dataset_mixtral": {"": "mixtral-8x7b"},
    "get_dataset_openorca": {"": "llama2-70b-99"},
    "get_dataset_cnndm": {"": "gptj-99", "llama3": "llama3.1-8b", "edge,llama3": "llama3.1-8b-edge"},
    "get_dataset_llama3": {"": "llama3.1-405b"},
    "get_dataset_deepseek_r1": {"": "deepseek-r1"},
    "get_dataset_gpt_oss": {"": "gpt-oss-120b"},
}
RECIPES = frozenset({*MODELS, *DATASETS})

_REASONS = {
    "no benchmark of Assay measures this model: `_stub.OWNER/NAME@COMMIT` fetches any model of the hub": (
        "7b 3b 20b meta-llama/Llama-2-7b-chat-hf meta-llama/Llama-3.2-8B-Instruct"
    ),
    "weights are fetched as they are published; a SUT lowers their precision when it loads them": (
        "fp8 int8 int4 uint8 pre-quantized"
    ),
    "made for the harness of one vendor, which Assay does not run": (
        "nvidia amd intel saxml 70b-fused-qkv L40s generic v5.0 v5.1 tp-size.# pp-size.#"
    ),
    "the whole published file is fetched; --count=N of the benchmark uses N of its samples": (
        "60 500 size.# batch_size.#"
    ),
}
REFUSED = {name: reason for reason, names in _REASONS.items() for name in names.split()}
"""Variation -> why a recipe here does not do it."""
TAGS_REFUSED = {
    frozenset(("openorca", "original")): (
        "the table that the dataset was made from is no dataset of a benchmark: leave `original` out"
    ),
}
"""Tags that stand together -> why not."""


def declines(call: BuiltinCall) -> str:
    """What of a request is not done here, with the reason; nothing when all of it is."""
    for name in call.selection.variations:
        known = name if name in REFUSED else f"{name.partition('.')[0]}.#"
        if known in REFUSED:
            return f"variation _{name}: {REFUSED[known]}"
    for tags, reason in TAGS_REFUSED.items():
        if tags <= set(call.selection.tags):
            return f"tags {','.join(sorted(tags))}: {reason}"
    return ""


def act(name: str, call: BuiltinCall) -> Answer:
    """Raises: AssayError, before a byte is fetched that finds no room."""
    workload = workloads.get(chosen((MODELS.get(name) or DATASETS[name]), set(call.selection.variations)))
    return _model(call, workload) if name in MODELS else _dataset(call, workload)


def chosen(choices: Choices, asked: set[str]) -> str:
    """The workload of most variations that were asked for."""
    fitting = [words for words in choices if not words or set(words.split(",")) <= asked]
    return choices[max(fitting, key=lambda words: len(words.split(",")) if words else 0)]


def _model(call: BuiltinCall, workload: Workload) -> Answer:
    published, keys = workload.model, cm_artifacts.of(workload.name).checkpoint_keys
    source = call.text(*keys) or _stub(call) or (published.source if published else "")
    if "dry-run" in call.selection.variations:
        call.say(f"assay: nothing is fetched; it would be {source}")
        return call.answer({})
    if published is not None and source == published.source:
        _require_room(call, workload, published)
    folder = str(artifact.model(source, call.hub, lambda progress: call.say(str(progress))))
    return call.answer(
        {**dict.fromkeys(keys, folder), cm_artifacts.ANY_CHECKPOINT: folder, "CM_ML_MODEL_SOURCE": source}
    )


def _require_room(call: BuiltinCall, workload: Workload, model: PublishedModel) -> None:
    """Raises: EnvironmentProblem when the full model fits neither disk nor memory, unless it is here."""
    if artifact.here(model.source, "checkpoint", call.hub) is None:
        ram_bytes = memory.total()
        artifact.require_room(workload.name, model, Precision.FLOAT16, ram_bytes, settings.home())


def _stub(call: BuiltinCall) -> str:
    """`_stub.OWNER/NAME@COMMIT`, `_stub.OWNER/NAME` or `_stub.PATH`: another checkpoint than the reference's."""
    asked = [name.removeprefix(STUB) for name in call.selection.variations if name.startswith(STUB)]
    if not asked:
        return ""
    is_path = asked[-1].startswith(("/", ".", "~")) or Path(asked[-1]).exists()
    return asked[-1] if is_path else f"hf:{asked[-1]}"


def _dataset(call: BuiltinCall, workload: Workload) -> Answer:
    """The file named, or the published one, the calibration set where that is asked for.

    Raises: ArtifactError for a set that nobody publishes ready for use.
    """
    calibration, known = "calibration" in call.selection.variations, cm_artifacts.of(workload.name)
    named = "" if calibration else call.text(*cm_artifacts.dataset_keys(workload.name))
    published = next((file for file in workload.dataset_files if file.is_calibration is calibration), None)
    if published is None and not named:
        what = "calibration set" if calibration else "dataset"
        raise ArtifactError(f"no {what} of {workload.name} is published ready for use", workload.dataset_hint)
    source, name = named or (published.url if published else ""), published.name if published else ""
    if "dry-run" in call.selection.variations:
        call.say(f"assay: nothing is fetched; it would be {source}")
        return call.answer({})
    path = artifact.dataset(
        source, lambda progress: call.say(str(progress)), files=workload.dataset_files, name=name
    )
    if (warning := artifact.warning(path, workload.dataset_files)) is not None:
        call.say(f"assay: {warning}")
    keys = (known.calibration_key,) if calibration else (*known.dataset_keys, cm_artifacts.ANY_DATASET)
    return call.answer({**dict.fromkeys(keys, str(path)), "CM_DATASET_SHA256": files.sha256(path)})
