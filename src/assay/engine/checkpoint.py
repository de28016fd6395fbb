"""Tensors of a safetensors checkpoint, mapped from disk and not copied.

Knows dtypes and memory; not which tensors a model has. The files themselves are `ground.model_folder`'s.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import torch
from torch import Tensor

from assay.ground import model_folder
from assay.ground.errors import ArtifactError
from assay.ground.safetensors_header import Stored

__all__ = ["Checkpoint", "Stored"]

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
AGAIN = "download the checkpoint again"


class Checkpoint:
    """The tensors of a folder.

    Raises: ArtifactError for a folder or file that is not a sound checkpoint, ConfigError for quantised weights.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = model_folder.weight_files(folder)
        self.stored = model_folder.stored_tensors(folder)
        model_folder.refuse_quantised(folder, self.stored)
        for name, stored in self.stored.items():
            if stored.dtype not in DTYPES:
                raise ArtifactError(
                    f"{stored.file}: {name} has dtype {stored.dtype}; the engine reads {', '.join(DTYPES)}",
                    "convert it with transformers' save_pretrained",
                )
        self._maps: dict[Path, mmap.mmap] = {}

    def tensor(self, name: str) -> Tensor:
        """A read-only view of the mapped file; it is valid as long as someone holds it."""
        stored = self.stored[name]
        if stored.file not in self._maps:
            with stored.file.open("rb") as handle:
                self._maps[stored.file] = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_COPY)
        flat = torch.frombuffer(
            self._maps[stored.file], dtype=DTYPES[stored.dtype], count=stored.count, offset=stored.begin
        )
        return flat.view(stored.shape)

    def drop_pages(self) -> None:
        """Let go of all pages that were read; views stay valid and read again when used."""
        for mapped in self._maps.values():
            mapped.madvise(mmap.MADV_DONTNEED)
