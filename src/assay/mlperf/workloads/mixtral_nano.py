"""mixtral-nano: Assay's embedded workload. Model and dataset ship with the package (see `assay.nano`)."""

from __future__ import annotations

from assay.mlperf.workload import Workload

WORKLOAD = Workload(
    name="mixtral-nano",
    loadgen_key="mixtral-nano",
    official="mixtral-8x7b",
    description="a few-million-parameter Mixtral that ships with Assay, over samples of the same three kinds",
    checkpoint_hint="the embedded model is used unless --checkpoint names another",
    dataset_hint="the embedded dataset is used unless --dataset names another",
    is_embedded=True,
    test_samples=None,
    eos_id=2,
    defaults={"limits.batch": "64", "precision": "bfloat16"},
)
