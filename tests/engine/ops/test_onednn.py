"""oneDNN reads the weights that our kernels packed, and is refused where it cannot."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch

from assay.config import Precision
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops.cpu import build, library, onednn
from assay.engine.ops.cpu.cpu_ops import CpuOps
from assay.engine.ops.cpu.instructions import InstructionSet, choose

MODEL = DecoderConfig(96, 64, 96, 2, 4, 2, 16, 4, 2, 1e-5, 1e4, 512, False, ())


@pytest.fixture
def ops() -> CpuOps:
    """That let oneDNN multiply from 20 rows."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ on this machine: the kernels cannot be built")
    lib = library.load(build.build())
    best, _ = choose(lib, "native")
    if reason := onednn.unusable(MODEL, best):
        pytest.skip(reason)
    return CpuOps(lib, Precision.BFLOAT16, MODEL, 1, best, None, 20)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).bfloat16()


@pytest.mark.parametrize(("columns", "depth"), [(64, 32), (130, 96), (200, 1024)])
def test_one_copy_of_a_weight_serves_few_rows_and_many(ops: CpuOps, columns: int, depth: int) -> None:
    weight = random(columns, depth)
    packed = ops.pack_matrix(weight)
    assert packed.onednn is not None, "oneDNN lays this weight out in another way"
    assert packed.memory.data_ptr() == torch.ops.mkldnn.data_ptr(packed.onednn)
    for rows, error in ((19, 1e-5), (20, 4e-3)):
        h = random(rows, depth)
        expected = h.float() @ weight.float().T
        got = ops.linear(h, packed)
        assert float((got - expected).abs().max() / expected.abs().max()) < error
        is_rounded = torch.equal(got, got.bfloat16().float())
        assert is_rounded is (rows == 20), "oneDNN's products are bfloat16, ours float32"


def test_a_weight_that_onednn_lays_out_in_another_way_stays_ours(ops: CpuOps) -> None:
    weight, h = random(72, 100), random(40, 100)
    packed = ops.pack_matrix(weight)
    assert packed.onednn is None
    expected = h.float() @ weight.float().T
    assert float((ops.linear(h, packed) - expected).abs().max() / expected.abs().max()) < 1e-5


@pytest.mark.parametrize(
    ("change", "best", "words"),
    [
        ({}, InstructionSet.PORTABLE, "portable"),
        ({"hidden_size": 100}, InstructionSet.AVX512, "hidden_size 100 is not a multiple of 32"),
        ({"head_dim": 20}, InstructionSet.AMX, "heads * head_dim 80"),
    ],
)
def test_what_onednn_cannot_read_has_a_reason(
    change: dict[str, int], best: InstructionSet, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert words in (onednn.unusable(replace(MODEL, **change), best) or "")


def test_a_release_of_pytorch_that_lacks_an_op_has_no_such_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "OPS", (*onednn.OPS, "_no_such_op"))
    assert "this PyTorch has no oneDNN" in (onednn.unusable(MODEL, InstructionSet.AVX512) or "")
