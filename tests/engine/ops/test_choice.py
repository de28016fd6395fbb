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
from assay.engine.ops import AttentionWeights, choice
from assay.engine.ops.choice import choose_ops
from assay.engine.ops.cpu import instructions, onednn, onednn_rates
from assay.engine.ops.cpu.instructions import InstructionSet
from assay.engine.ops.cpu.onednn_rates import OneDnnRates
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


SLOWER = {"16": 9.0, "64": 9.0, "256": 9.0, "1024": 9.0}
FASTER = {"16": 5.0, "64": 8.0, "256": 12.0, "1024": 12.0}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose oneDNN can read our weights and is faster from 256 rows."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ on this machine: the kernels cannot be built")
    rates = OneDnnRates("2026-01-01", "2.0", own=SLOWER, panels=SLOWER, onednn=FASTER)
    monkeypatch.setattr(onednn, "unusable", lambda *_: None)
    monkeypatch.setattr(onednn_rates, "kept_or_measured", lambda *_: rates)


@pytest.mark.usefixtures("measured")
def test_onednn_projects_attention_where_it_was_measured_to_be_faster() -> None:
    ops, notes = choose_ops(config(), MODEL)
    assert (ops.onednn_from, notes) == (256, ()) and ops.name.endswith(" and oneDNN")
    few = replace(config(), max_running=16, token_budget=64)
    assert choose_ops(few, MODEL)[0].onednn_from is None
    assert choose_ops(config(Precision.INT8), MODEL)[0].onednn_from is None
    assert choose_ops(config(kernels="portable"), MODEL)[0].onednn_from is None


@pytest.mark.usefixtures("measured")
def test_onednn_runs_in_every_step_where_it_is_asked_for() -> None:
    assert choose_ops(config(kernels="onednn"), MODEL)[0].onednn_from == 1
    with pytest.raises(ConfigError, match="not for int8"):
        choose_ops(config(Precision.INT8, "onednn"), MODEL)


@pytest.mark.usefixtures("measured")
def test_onednn_that_cannot_run_is_refused_where_it_was_asked_for_and_else_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(*_: object) -> OneDnnRates:
        raise EnvironmentProblem("oneDNN differs from the reference", "")

    monkeypatch.setattr(onednn_rates, "kept_or_measured", wrong)
    ops, notes = choose_ops(config(), MODEL)
    assert ops.onednn_from is None
    assert notes == ("oneDNN is not used: oneDNN differs from the reference",)
    monkeypatch.setattr(onednn, "unusable", lambda *_: "it has no bfloat16")
    assert choose_ops(config(), MODEL)[1] == ()
    with pytest.raises(EnvironmentProblem, match="oneDNN cannot run here: it has no bfloat16"):
        choose_ops(config(kernels="onednn"), MODEL)


@pytest.mark.usefixtures("measured")
def test_measuring_tells_what_there_is_to_choose_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "choose", lambda *_: (InstructionSet.AVX512, ("a note",)))
    monkeypatch.setattr(onednn_rates, "measure", lambda *_: "rates")
    assert choice.measure_sets() == choice.MeasuredSets("AVX-512 for every product; a note", "rates")  # type: ignore[arg-type]
    monkeypatch.setattr(onednn, "unusable", lambda *_: "none here")
    assert choice.measure_sets().onednn == "none here"
    monkeypatch.setattr(shutil, "which", lambda name: None)
    nothing = "no C++ compiler on this machine"
    assert choice.measure_sets() == choice.MeasuredSets(nothing, nothing)
