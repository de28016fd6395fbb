"""Where CM's recipes say that a model and its dataset lie: one table for all official workloads.

Source of the names: `new_env_keys` and `input_mapping` of the get-ml-model-*, get-dataset-* and
get-preprocessed-dataset-* recipes, and what app-mlperf-inference-mlcommons-python reads; mlperf-automations at
20d3d94c4fbb and cm4mlops at 3a60122724e9. Knows names only; what is fetched is the workload's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.ground.errors import AssayError
from assay.mlperf import workloads

ANY_CHECKPOINT = "CM_ML_MODEL_PATH"
ANY_DATASET = "CM_DATASET_PREPROCESSED_PATH"
"""Read for every workload, after its own variables."""


@dataclass(frozen=True)
class ArtifactVariables:
    """The variables of one model and its dataset. The first of each is the one that Assay writes."""

    workloads: tuple[str, ...]
    checkpoint_keys: tuple[str, ...]
    dataset_keys: tuple[str, ...]
    calibration_key: str = "CM_CALIBRATION_DATASET_PATH"
    size: str = ""
    """`CM_MLPERF_MODEL_<size>_DOWNLOAD_TO_HOST` = no forbids to fetch the model, `..._DATASET_...` its dataset; empty
    where upstream has no such variable."""


_LLAMA3 = ("LLAMA3_CHECKPOINT_PATH", "CM_ML_MODEL_LLAMA3_CHECKPOINT_PATH")

TABLE: tuple[ArtifactVariables, ...] = (
    ArtifactVariables(
        ("mixtral-8x7b",),
        ("MIXTRAL_CHECKPOINT_PATH",),
        ("CM_DATASET_MIXTRAL_PREPROCESSED_PATH",),
        size="MIXTRAL_8X7B",
    ),
    ArtifactVariables(
        ("llama2-70b-99", "llama2-70b-99.9", "llama2-70b-interactive-99", "llama2-70b-interactive-99.9"),
        ("LLAMA2_CHECKPOINT_PATH",),
        ("CM_DATASET_OPENORCA_PREPROCESSED_PATH",),
        "CM_DATASET_OPENORCA_CALIBRATION_PATH",
        size="LLAMA2_70B",
    ),
    ArtifactVariables(
        ("llama3.1-8b", "llama3.1-8b-edge"),
        _LLAMA3,
        ("CM_DATASET_CNNDM_EVAL_PATH", "CM_DATASET_EVAL_PATH"),
        "CM_CALIBRATION_DATASET_CNNDM_PATH",
    ),
    ArtifactVariables(
        ("gptj-99", "gptj-99.9"),
        ("GPTJ_CHECKPOINT_PATH",),
        ("CM_DATASET_CNNDM_EVAL_PATH", "CM_DATASET_EVAL_PATH"),
    ),
    ArtifactVariables(("llama3.1-405b",), _LLAMA3, ("CM_DATASET_LLAMA3_PATH",)),
    ArtifactVariables(
        ("deepseek-r1",),
        ("CM_ML_MODEL_DEEPSEEK_R1_PATH",),
        ("CM_PREPROCESSED_DATASET_DEEPSEEK_R1_VALIDATION_PATH", "CM_PREPROCESSED_DATASET_DEEPSEEK_R1_PATH"),
        "CM_PREPROCESSED_DATASET_DEEPSEEK_R1_CALIBRATION_PATH",
    ),
    ArtifactVariables(
        ("gpt-oss-120b",),
        ("CM_ML_MODEL_GPT_OSS_PATH",),
        ("CM_ML_DATASET_MLPERF_INFERENCE_GPT_OSS_PATH",),
    ),
)
_OF = {name: each for each in TABLE for name in each.workloads}
NO_NAMES = ArtifactVariables((), (), ())

CHECKPOINT_KEYS = tuple(dict.fromkeys((*(k for a in TABLE for k in a.checkpoint_keys), ANY_CHECKPOINT)))
DATASET_KEYS = tuple(dict.fromkeys((*(k for a in TABLE for k in a.dataset_keys), ANY_DATASET)))


def of(workload: str) -> ArtifactVariables:
    """The variables of a workload, or of the official one that it stands for; none for one that upstream lacks."""
    try:
        known = workloads.find(workload)
    except AssayError:  # told when the workload is read
        known = None
    return _OF.get(known.official_name if known else workload, NO_NAMES)


def checkpoint_keys(workload: str) -> tuple[str, ...]:
    return (*of(workload).checkpoint_keys, ANY_CHECKPOINT)


def dataset_keys(workload: str) -> tuple[str, ...]:
    return (*of(workload).dataset_keys, ANY_DATASET)


def users(key: str) -> tuple[str, ...]:
    """The workloads that read a variable; empty for one that all of them read, or none."""
    return tuple(
        name for each in TABLE if key in each.checkpoint_keys + each.dataset_keys for name in each.workloads
    )


def download_keys() -> Mapping[str, tuple[str, str]]:
    """`CM_MLPERF_MODEL_LLAMA2_70B_DOWNLOAD_TO_HOST` -> (`model` or `dataset`, the variable that names it instead)."""
    return {
        f"CM_MLPERF_{what.upper()}_{each.size}_DOWNLOAD_TO_HOST": (what, keys[0])
        for each in TABLE
        if each.size
        for what, keys in (("model", each.checkpoint_keys), ("dataset", each.dataset_keys))
    }
