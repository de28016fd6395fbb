"""What upstream's benchmark recipes offer and Assay does not do: each refused by name, with the reason.

Source of the names: the variations of app-mlperf-inference and run-mlperf-inference-app, cm4mlops at commit
3a60122724e9, and those that mlperf-automations added for v5.0 to v6.1. `--recipes=OWNER@NAME` runs upstream's own
recipe with all of them.
"""

from __future__ import annotations

from assay.ground.errors import ConfigError
from assay.mlperf import workloads


def upstream_name(workload: str) -> str:
    """A workload as upstream spells it: `llama3_1-8b`; `llama2-70b-99.9` keeps its point."""
    return workload.replace("llama3.1", "llama3_1")


_REASONS = {
    "no MLPerf round measures a language model in MultiStream": "multistream",
    "Assay runs on cpu and cuda": "rocm qaic tpu",
    "Assay runs models on pytorch": (
        "onnxruntime tf tensorflow ncnn deepsparse tflite glow tensorrt openshift ray "
        "tvm-onnx tvm-pytorch tvm-tflite"
    ),
    f"Assay measures {', '.join(workloads.TABLE)}": (
        "resnet50 retinanet 3d-unet-99 3d-unet-99.9 sdxl rnnt bert-99 bert-99.9 dlrm-v2-99 dlrm-v2-99.9 mobilenet "
        "efficientnet all-models rgat pointpainting whisper wan-2.2-t2v-a14b yolo-95 yolo-99"
    ),
    "Assay has the reference (transformers) and its own engine (_assay)": (
        "cpp mil mlcommons-cpp ctuning-cpp-tflite tflite-cpp nvidia-original nvidia intel-original intel amd "
        "redhat qualcomm kilt neuralmagic"
    ),
    "a server of vLLM or SGLang is measured with --implementation=serve, which starts one, or "
    "--implementation=endpoint --env.CM_ASSAY_SUT_OPTIONS_URL=ADDRESS": "vllm sglang",
    "no SUT of Assay computes in it": "uint8 quantized float8 float4 fp8 fp4",
    "Assay measures nothing of rounds before v4.0": "r2.1_default r3.0_default r3.1_default r2.1 r3.0 r3.1",
    "power is measured with an SPEC PTDaemon server, which Assay does not talk to": "power",
    "Assay publishes nothing anywhere": "dashboard",
    "the student cluster competition was over sdxl": "scc24-base scc24-main",
}
REFUSED = {name: reason for reason, names in _REASONS.items() for name in names.split()}
"""Variation, or the word of a variable -> why not."""

REFUSED_KEYS = {
    "CM_MLPERF_POWER": "power",
    "CM_SYSTEM_POWER": "power",
    "CM_MLPERF_DASHBOARD": "dashboard",
    "CM_MLPERF_ALL_MODELS": "all-models",
}
"""Variable -> the variation that it stands for when it is switched on."""


ELSEWHERE = "leave it out, or --recipes=OWNER@NAME for the recipe of a pulled repository"


class NotOffered(ConfigError):
    """A benchmark that Assay does not do: a pulled repository's recipe may."""


def refuse(word: str, where: str) -> None:
    """Raises: NotOffered when `word` is one of upstream's that Assay does not do."""
    reason = REFUSED.get(word.strip().lower())
    if reason is not None:
        raise NotOffered(
            f"{where}: {reason}",
            ELSEWHERE,
        )
