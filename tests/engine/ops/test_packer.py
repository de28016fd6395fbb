"""Packed weights lie as kernels.h says of Matrix, and hold the numbers of the weight."""

from __future__ import annotations

import ctypes
import shutil

import pytest
import torch

from assay.engine.ops.cpu import build, library
from assay.engine.ops.cpu.layout import PANEL
from assay.engine.ops.cpu.packer import Packer


@pytest.fixture
def lib() -> ctypes.CDLL:
    if shutil.which("g++") is None:
        pytest.skip("no g++ on this machine: the kernels cannot be built")
    found = library.load(build.build())
    found.assay_configure(1, 0, 1, 1)
    return found


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_weight_lies_in_panels_of_64_columns_filled_with_zeros(
    lib: ctypes.CDLL, dtype: torch.dtype
) -> None:
    weight_ND = torch.arange(70 * 6, dtype=torch.float32).view(70, 6).remainder(251).to(dtype)
    packed = Packer(lib, is_int8=False, is_tiled=False, shares_with_onednn=False).matrix(weight_ND)
    panels = packed.memory.view(2, 3, PANEL, 2)  # [panel][step][column][number of a word]
    columns = panels.permute(0, 2, 1, 3).reshape(2 * PANEL, 6)
    assert torch.equal(columns[:70], weight_ND.bfloat16())
    assert not columns[70:].any()


def test_a_weight_of_int8_ends_in_its_scales_and_offsets(lib: ctypes.CDLL) -> None:
    weight_ND = torch.tensor([[2.0, -1.0, 0.5, 0.25], [0.0, 0.0, 0.0, 8.0]])
    packed = Packer(lib, is_int8=True, is_tiled=False, shares_with_onednn=False).matrix(weight_ND)
    values = packed.memory[: PANEL * 4].view(PANEL, 4)
    scale, offset = packed.memory[PANEL * 4 :].view(2, -1)
    # Spread over four parts: a row of one number becomes its sums and differences, all as large.
    assert values[1].tolist() == [127, -127, -127, 127]
    assert scale.view(torch.float32)[1].item() == pytest.approx(8 / 127 / 2)
    assert offset.view(torch.int32)[:2].tolist() == [128 * int(values[0].sum()), 0]


def test_the_head_stays_bfloat16_where_all_else_is_int8(lib: ctypes.CDLL) -> None:
    packer = Packer(lib, is_int8=True, is_tiled=False, shares_with_onednn=False)
    weight_VD = torch.ones(3, 8)
    assert packer.head(weight_VD).memory.dtype is torch.bfloat16
    assert packer.matrix(weight_VD).memory.dtype is torch.int8


def test_int8_is_not_shared_with_onednn(lib: ctypes.CDLL) -> None:
    with pytest.raises(AssertionError, match="oneDNN multiplies bfloat16 here"):
        Packer(lib, is_int8=True, is_tiled=False, shares_with_onednn=True)
