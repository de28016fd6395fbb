"""Memory and disk against what a run takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import suts
from assay.bench import room
from assay.bench.known_model import KnownModel
from assay.config import BenchmarkConfig, Precision
from assay.ground import download
from assay.ground.errors import EnvironmentProblem
from assay.mlperf import workloads
from assay.mlperf.run import job as jobs
from assay.suts import shape as shapes

SEVEN_B = KnownModel(parameters=7 * 10**9)
GB = 10**9


def test_a_model_that_fits_or_is_not_known_is_not_refused() -> None:
    room.refuse_large_model(SEVEN_B, suts.kind("engine"), Precision.BFLOAT16, 15 * GB, 15 * GB)
    room.refuse_large_model(KnownModel(), suts.kind("engine"), Precision.BFLOAT16, 15 * GB, GB)


def test_what_would_fit_is_told_of_the_precisions_that_the_sut_has() -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        room.refuse_large_model(SEVEN_B, suts.kind("engine"), Precision.BFLOAT16, 15 * GB, 9 * GB)
    assert "7.0 B parameters take 14.0 GB in bfloat16" in refused.value.message
    assert refused.value.hint.startswith("int8 would fit here; up to 4 B parameters do in bfloat16")
    with pytest.raises(EnvironmentProblem) as refused:
        room.refuse_large_model(SEVEN_B, suts.kind("transformers"), Precision.BFLOAT16, 15 * GB, 9 * GB)
    assert refused.value.hint.startswith("no precision of it fits here")
    with pytest.raises(EnvironmentProblem) as refused:  # what is beside the weights is too much
        room.refuse_large_model(SEVEN_B, suts.kind("engine"), Precision.BFLOAT16, 30 * GB, 15 * GB)
    assert refused.value.hint.startswith("a smaller --batch, as the weights alone fit; with this one no")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "free_bytes", lambda _: GB)
    room.refuse_full_disk(tmp_path, GB)
    with pytest.raises(EnvironmentProblem, match=r"2\.0 GB of disk are needed in .* and 1\.0 GB are free"):
        room.refuse_full_disk(tmp_path, 2 * GB)


def test_a_loadgen_that_fills_the_memory_is_told() -> None:
    config = BenchmarkConfig(sut="echo", round="v4.1")
    job = jobs.of(config, suts.of(config))
    room.refuse_loadgen(job, 10, 4 * GB)
    with pytest.raises(EnvironmentProblem, match=r"LoadGen 4\.1\.\d+ needs 1"):
        room.refuse_loadgen(job, 15000, 4 * GB)


@pytest.mark.parametrize("precision", [Precision.FLOAT16, Precision.BFLOAT16])
def test_the_size_in_float16_is_not_said_twice(precision: Precision) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        room.refuse_large_model(SEVEN_B, suts.kind("transformers"), precision, 15 * GB, 9 * GB)
    assert f"take 14.0 GB in {precision.value}; 15.0 GB" in refused.value.message


def test_a_smaller_mixtral_is_offered_for_a_mixtral_alone() -> None:
    for model, is_offered in (
        (workloads.get("mixtral-8x7b").model, True),
        (workloads.get("llama3.1-8b").model, False),
    ):
        assert model is not None
        shape = shapes.of(model.config)
        known = KnownModel(shape.parameters, shape)
        with pytest.raises(EnvironmentProblem) as refused:
            room.refuse_large_model(known, suts.kind("engine"), Precision.BFLOAT16, 200 * GB, 9 * GB)
        assert ("upcycle" in refused.value.hint) is is_offered
