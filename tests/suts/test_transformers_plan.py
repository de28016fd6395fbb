from __future__ import annotations

from typing import Any

from assay.config import Device, Precision
from assay.ground import model_folder
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.planner import SutWork
from assay.mlperf.workloads.workload import Generation
from assay.nano import shipped
from assay.suts import transformers_plan


def ram_bytes(**options: Any) -> int:
    config = model_folder.read_config(shipped.checkpoint_dir())
    rules = Generation(1, 2, 2)
    spec = SutSpec("transformers", None, Device.CPU, Precision.FLOAT32, 1, rules, False, options)
    return transformers_plan.ram_bytes(SutWork(spec, "toy", (), longest_answer=2, model_config=config))


def test_weights_beyond_the_memory_that_they_may_take_are_not_counted() -> None:
    whole = ram_bytes()
    assert ram_bytes(cpu_memory_gib=1000.0) == whole
    assert 0 < whole - ram_bytes(cpu_memory_gib=0.0001) < whole
