"""What is known of weights before they are loaded."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from assay import suts
from assay.bench import known_model
from assay.bench.fetching import Wanted
from assay.bench.known_model import KnownModel
from assay.bench.preparation import Preparation
from assay.config import BenchmarkConfig, Paths, Precision
from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf import workloads
from assay.suts.shape import MIXTRAL_8X7B, RANDOM, WEIGHTS_KEY


def prepared(
    workload: str = "mixtral-8x7b",
    sut: str = "engine",
    checkpoint: Path | None = None,
    *,
    wants: bool = False,
) -> Preparation:
    model = workloads.get(workload).model
    wanted = (Wanted("checkpoint", model.source, model.size_bytes),) if wants and model else ()
    config = BenchmarkConfig(workload, sut=sut)
    return Preparation(config, wanted, suts.kind(sut), checkpoint=checkpoint)


def test_of_a_folder_its_config_and_the_bytes_that_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**MIXTRAL_8X7B, WEIGHTS_KEY: RANDOM}))
    (tmp_path / "model.safetensors").write_bytes(b"w" * 1000)
    found = known_model.of(prepared(checkpoint=tmp_path))
    assert (found.parameters, found.read_bytes, found.is_random) == (46_702_792_704, 1000, True)
    assert found.weight_bytes(Precision.INT8) == 46_702_792_704
    assert found.config["model_type"] == "mixtral" and found.shape is not None


def test_of_a_server_that_reads_a_gguf_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(MIXTRAL_8X7B))
    (tmp_path / "model.gguf").write_bytes(b"w" * 1000)
    with pytest.raises(ArtifactError, match="it holds GGUF"):
        known_model.of(prepared(sut="serve", checkpoint=tmp_path))
    mine = prepared(sut="serve", checkpoint=tmp_path)
    asked = dataclasses.replace(mine.config, sut_options={"server": "llamacpp"})
    assert known_model.of(dataclasses.replace(mine, config=asked)).read_bytes == 1000


def test_a_folder_without_a_config_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"config\.json"):
        known_model.of(prepared(checkpoint=tmp_path))


def test_of_a_model_to_be_fetched_what_is_published() -> None:
    found = known_model.of(prepared(wants=True))
    assert (found.parameters, found.read_bytes) == (46_702_792_704, 0) and found.shape is not None
    shapeless = known_model.of(prepared("gptj-99", "transformers", wants=True))
    assert shapeless.parameters == 6_050_882_784 and shapeless.shape is None


def test_nothing_of_a_sut_without_weights_or_of_a_model_that_is_away(tmp_path: Path) -> None:
    assert known_model.of(prepared(sut="echo", checkpoint=tmp_path)) == KnownModel()
    assert known_model.of(prepared()) == KnownModel()
    assert KnownModel().weight_bytes(Precision.BFLOAT16) == 0


def test_a_sut_that_lacks_the_published_model_is_told_which_has_it() -> None:
    with pytest.raises(ConfigError, match="does not run models like deepseek-ai") as refused:
        known_model.refuse_unable(prepared("deepseek-r1", wants=True))
    assert "--sut transformers" in refused.value.hint
    known_model.refuse_unable(prepared("deepseek-r1"))
    known_model.refuse_unable(prepared(wants=True))


def test_the_weights_of_another_model_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**MIXTRAL_8X7B, "num_hidden_layers": 2}))
    mine = prepared()
    named = BenchmarkConfig("mixtral-8x7b", sut="engine", paths=Paths(checkpoint=tmp_path))
    assert known_model.other_weights(mine) == ""
    told = known_model.other_weights(dataclasses.replace(mine, config=named))
    assert told.startswith("not the weights of mistralai/Mixtral-8x7B-Instruct-v0.1: ")
    echo = dataclasses.replace(mine, config=named, kind=suts.kind("echo"))
    assert known_model.other_weights(echo) == ""
