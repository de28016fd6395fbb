"""Which kernels run, and that a result says so when they are not ours."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from assay.config import Precision
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops import AttentionWeights
from assay.engine.ops.choice import choose_ops
from assay.ground.errors import ConfigError, EnvironmentProblem

MODEL = DecoderConfig(64, 64, 96, 2, 4, 2, 16, 4, 2, 1e-5, 1e4, 128, False, ())


def config(precision: Precision = Precision.BFLOAT16, kernels: str = "auto") -> EngineConfig:
    return EngineConfig(Path("unused"), precision, kernels=kernels, threads=1)


@pytest.fixture
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.mark.usefixtures("without_compiler")
@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_without_a_compiler_pytorch_runs_and_the_notes_say_so(precision: Precision) -> None:
    ops, notes = choose_ops(config(precision), MODEL)
    assert ops.name == "torch"
    assert notes == ("PyTorch ops, slower than native kernels: no C++ compiler on this machine",)


@pytest.mark.usefixtures("without_compiler")
def test_kernels_that_are_insisted_on_are_not_replaced() -> None:
    with pytest.raises(EnvironmentProblem, match="no C\\+\\+ compiler"):
        choose_ops(config(kernels="native"), MODEL)


def test_float32_is_pytorch_without_a_note_and_native_float32_is_refused() -> None:
    ops, notes = choose_ops(config(Precision.FLOAT32), MODEL)
    assert (ops.name, notes) == ("torch", ())
    with pytest.raises(ConfigError, match="bfloat16 or int8"):
        choose_ops(config(Precision.FLOAT32, "native"), MODEL)


def test_float16_is_pytorch_in_float16_and_the_notes_say_so() -> None:
    ops, (note,) = choose_ops(config(Precision.FLOAT16), MODEL)
    assert ops.name == "torch"
    packed = ops.pack_attention(AttentionWeights(torch.ones(64), torch.ones(128, 64), torch.ones(64, 64)))
    assert ops.used_precision(packed) == "float16"
    assert "slower" in note
    assert "not in float16" in note


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": 66}, "hidden_size 66 is not a multiple of 4"),
        ({"head_dim": 24}, "head_dim 24 is not a multiple of 16"),
        ({"num_heads": 66, "num_kv_heads": 2}, "33 query heads share a KV head"),
    ],
)
def test_a_shape_the_kernels_do_not_know_runs_on_pytorch_with_the_reason(
    change: dict[str, int], words: str
) -> None:
    ops, (note,) = choose_ops(config(), replace(MODEL, **change))
    assert ops.name == "torch" and words in note
    with pytest.raises(ConfigError, match=words):
        choose_ops(config(kernels="native"), replace(MODEL, **change))
