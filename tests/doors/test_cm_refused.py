"""What upstream's benchmark recipes offer and Assay does not do is refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from assay.doors import cm_claims, cm_refused
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
        ("r4.0-dev", "Assay measures nothing of rounds before v4.1"),
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
