"""What upstream's benchmark recipes offer and Assay does not do is refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.doors import builtin, cm_claims, cm_refused
from assay.doors.builtin import published
from assay.doors.cm_refused import NotOffered, refuse
from assay.mlperf import workloads


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (" MultiStream ", "no MLPerf round measures a language model in MultiStream"),
        ("rocm", "Assay runs on cpu and cuda"),
        ("onnxruntime", "Assay runs models on pytorch"),
        ("whisper", "Assay measures mixtral-nano, mixtral-8x7b"),
        ("nvidia", "Assay has the reference"),
        ("uint8", "no SUT of Assay computes in it"),
        ("r3.1", "Assay measures nothing of rounds before v4.0"),
        ("vllm", "--implementation=serve"),
        ("fp8", "no SUT of Assay computes in it"),
        ("power", "SPEC PTDaemon"),
    ],
)
def test_a_benchmark_that_is_not_offered_is_refused_with_its_reason(word: str, reason: str) -> None:
    with pytest.raises(NotOffered, match=reason) as error:
        refuse(word, "--tags")
    assert error.value.message.startswith("--tags: ")
    assert "--recipes=OWNER@NAME" in error.value.hint


@pytest.mark.parametrize(
    "word", ["offline", "server", "cpu", "cuda", "pytorch", "mixtral-8x7b", "r5.1", "", "_power"]
)
def test_what_assay_does_and_what_nobody_knows_is_not_refused(word: str) -> None:
    refuse(word, "--tags")


def test_a_variable_stands_for_a_variation_that_is_refused() -> None:
    assert set(cm_refused.REFUSED_KEYS.values()) <= set(cm_refused.REFUSED)


def test_a_variable_that_is_refused_is_claimed_so_that_it_is_not_told_as_unknown() -> None:
    assert cm_claims.unclaimed(dict.fromkeys(cm_refused.REFUSED_KEYS, "yes")) == []


UPSTREAM_MODELS = [
    "3d-unet-99",
    "3d-unet-99.9",
    "bert-99",
    "bert-99.9",
    "deepseek-r1",
    "dlrm-v2-99",
    "dlrm-v2-99.9",
    "efficientnet",
    "gptj-99",
    "gptj-99.9",
    "llama2-70b-99",
    "llama2-70b-99.9",
    "llama3_1-405b",
    "llama3_1-8b",
    "llama3_1-8b-edge",
    "mixtral-8x7b",
    "mobilenet",
    "pointpainting",
    "resnet50",
    "retinanet",
    "rgat",
    "rnnt",
    "sdxl",
    "wan-2.2-t2v-a14b",
    "whisper",
    "yolo-95",
    "yolo-99",
]
"""Variations of the group `model` of app-mlperf-inference, mlperf-automations."""


def upstream_models() -> list[str]:
    """Those of a clone of mlperf-automations or cm4mlops that ASSAY_UPSTREAM_RECIPES names, else the list above."""
    clone = os.environ.get("ASSAY_UPSTREAM_RECIPES")
    if clone is None:
        return UPSTREAM_MODELS
    found = [Path(clone, "script/app-mlperf-inference", name) for name in ("meta.yaml", "_cm.yaml")]
    variations = yaml.safe_load(next(path for path in found if path.exists()).read_text())["variations"]
    models = (name for name, meta in variations.items() if (meta or {}).get("group") == "model")
    return sorted(name.rstrip("_") for name in models)  # `llama3_1-8b_` is the base of two


@pytest.mark.parametrize("model", upstream_models())
def test_every_model_of_upstreams_recipes_is_measured_or_refused_by_name(model: str) -> None:
    measured = {spelled for name in workloads.TABLE for spelled in (name, cm_refused.upstream_name(name))}
    assert (model in measured) is not (model in cm_refused.REFUSED)


LANGUAGE_RECIPES = {
    "app_mlperf_inference": "app-mlperf-inference",
    "run_mlperf_inference": "run-mlperf-inference-app",
    "get_ml_model_mixtral": "get-ml-model-mixtral",
    "get_ml_model_llama2": "get-ml-model-llama2",
    "get_ml_model_llama3": "get-ml-model-llama3",
    "get_ml_model_gptj": "get-ml-model-gptj",
    "get_ml_model_deepseek_r1": "get-ml-model-deepseek-r1",
    "get_ml_model_gpt_oss": "get-ml-model-gpt-oss",
    "get_dataset_mixtral": "get-dataset-mlperf-inference-mixtral",
    "get_dataset_openorca": "get-preprocessed-dataset-openorca",
    "get_dataset_cnndm": "get-dataset-cnndm",
    "get_dataset_llama3": "get-dataset-mlperf-inference-llama3",
    "get_dataset_deepseek_r1": "get-preprocessed-dataset-mlperf-deepseek-r1",
    "get_dataset_gpt_oss": "get-dataset-mlperf-inference-gpt-oss",
}
"""Folder of a recipe of ours -> upstream's with the same tags."""
NOT_OURS = {
    # They choose among programs below the benchmark; Assay has none below.
    "app_mlperf_inference": {
        "gptj",
        "gptj_",
        "bert_",
        "dlrm_",
        "3d-unet_",
        "llama2-70b_",
        "llama3_1-8b_",
        "yolo_",
    },
}
"""Variations that upstream's recipes use among themselves, `NAME_` as the base of several."""


def upstream_meta(name: str) -> dict[str, Any]:
    """Of a clone of mlperf-automations or cm4mlops; empty where there is none, or it lacks the recipe."""
    clone = os.environ.get("ASSAY_UPSTREAM_RECIPES")
    found = [Path(clone, "script", name, file) for file in ("meta.yaml", "_cm.yaml")] if clone else []
    path = next((path for path in found if path.exists()), None)
    return yaml.safe_load(path.read_text()) if path else {}


@pytest.mark.skipif(
    "ASSAY_UPSTREAM_RECIPES" not in os.environ, reason="no clone of upstream's recipes is named"
)
@pytest.mark.parametrize("folder", LANGUAGE_RECIPES)
def test_every_variation_and_tag_of_upstreams_recipe_is_known_here(folder: str) -> None:
    ours = yaml.safe_load((builtin.HERE / folder / "meta.yaml").read_text())
    theirs = upstream_meta(LANGUAGE_RECIPES[folder])
    plain = {name for name in theirs.get("variations") or {} if "," not in name}
    assert plain - set(ours["variations"]) - NOT_OURS.get(folder, set()) == set()
    if folder.startswith(builtin.FETCHING) and theirs:
        for tags in builtin.TAGS[folder][:1]:
            assert set(tags.split(",")) <= set(theirs["tags"]), "upstream's recipe answers the same request"


def test_every_folder_that_fetches_is_held_against_upstream() -> None:
    assert set(LANGUAGE_RECIPES) == {*builtin.BENCHMARKS, *published.RECIPES}
