"""The transformers SUT: what it is. Imports no tensor library."""

from __future__ import annotations

from assay.config import Precision, Scenario
from assay.mlperf.sut.kind import SutKind, no_sampling
from assay.mlperf.sut.option import SutOption
from assay.mlperf.workloads.workload import Workload

DEFAULT_BATCH = 1
"""What the reference implementation runs."""


def _batch(workload: Workload, scenarios: tuple[Scenario, ...]) -> int:
    return DEFAULT_BATCH


KIND = SutKind(
    name="transformers",
    summary="the reference: Hugging Face transformers, greedy or by beams, slow and plain",
    module="assay.suts.transformers_sut",
    precisions=(Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16),
    default_batch=_batch,
    refuse=no_sampling,
    options=(
        SutOption(
            "device_map",
            str,
            "weights over GPUs, memory and disk, by accelerate: auto, balanced, balanced_low_0, sequential, or a "
            "JSON file {module: device} (default: one device; auto with several GPUs)",
        ),
        SutOption("gpu_memory_gib", float, "most weights of each GPU, GiB", least=0.0001),
        SutOption(
            "cpu_memory_gib",
            float,
            "most weights in the machine's memory, GiB; others lie on disk",
            least=0.0001,
        ),
    ),
    planner="assay.suts.transformers_plan",
)
