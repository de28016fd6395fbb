"""Tensors mapped from the files of a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from assay.engine.checkpoint import Checkpoint
from assay.ground.errors import ArtifactError


def saved(folder: Path, **tensors: torch.Tensor) -> Checkpoint:
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return Checkpoint(folder)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_tensor_is_the_one_that_was_saved(dtype: torch.dtype, tmp_path: Path) -> None:
    a, b = torch.arange(6, dtype=dtype).view(2, 3), torch.tensor(7.0, dtype=dtype)
    checkpoint = saved(tmp_path, a=a, b=b)
    assert torch.equal(checkpoint.tensor("a"), a)
    assert torch.equal(checkpoint.tensor("b"), b)


def test_a_view_stays_valid_when_its_pages_are_let_go(tmp_path: Path) -> None:
    a = torch.arange(100_000, dtype=torch.float32)
    checkpoint = saved(tmp_path, a=a)
    view = checkpoint.tensor("a")
    checkpoint.drop_pages()
    assert torch.equal(view, a)


def test_a_type_that_the_engine_does_not_read_is_refused_with_its_tensor(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="odd has dtype F64; the engine reads F32, F16, BF16"):
        saved(tmp_path, fine=torch.zeros(2), odd=torch.zeros(2, dtype=torch.float64))


def test_an_unknown_tensor_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        saved(tmp_path, a=torch.zeros(1)).tensor("b")
