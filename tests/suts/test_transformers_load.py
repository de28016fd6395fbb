"""What is looked at before a checkpoint is loaded; the loading itself is in test_transformers_sut.py."""

from __future__ import annotations

import dataclasses

import pytest

from assay.config import Device
from assay.ground.errors import EnvironmentProblem
from assay.suts import transformers_load
from tests.suts.test_transformers_sut import spec


def test_weights_larger_than_the_free_memory_are_refused_on_the_processor_alone() -> None:
    with pytest.raises(EnvironmentProblem, match=r"the weights in float32 need 4\.\d TB"):
        transformers_load.refuse_without_memory(10**12, spec(None))
    transformers_load.refuse_without_memory(10**12, dataclasses.replace(spec(None), device=Device.CUDA))
    transformers_load.refuse_without_memory(1000, spec(None))


def test_the_processor_has_no_gpus_whatever_the_machine_has() -> None:
    assert transformers_load.gpus(spec(None)) == 0
