"""The transformers SUT: what it is. Imports no tensor library."""

from __future__ import annotations

from assay.config import Precision, Scenario
from assay.mlperf.sut.kind import SutKind, no_sampling
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
    planner="assay.suts.transformers_plan",
)
