"""Tensors of a safetensors checkpoint, mapped from disk and not copied.

Knows the file format (8 bytes of header length, JSON header, data); not which tensors a model has.
Source: safetensors format description, https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.ground.errors import ArtifactError

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
AGAIN = "download the checkpoint again"


@dataclass(frozen=True)
class Stored:
    """Where one tensor lies."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    """Byte of the file"""

    @property
    def count(self) -> int:
        return math.prod(self.shape)


class Checkpoint:
    """The tensors of a folder. Raises: ArtifactError for a folder or file that is not a sound checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = _weight_files(folder)
        self.stored: dict[str, Stored] = {}
        for file in self.files:
            self.stored |= _read_header(file)
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


def _weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a checkpoint, single or sharded, each present."""
    index = folder / INDEX
    if index.exists():
        try:
            shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            files = tuple(folder / Path(shard).name for shard in shards)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{index} is not a shard index: {error}", AGAIN) from error
    else:
        files = (folder / SINGLE,)
    missing = [f.name for f in files if not f.is_file()]
    if missing:
        raise ArtifactError(
            f"{folder} lacks {len(missing)} weight file(s): {', '.join(missing[:3])}",
            "the engine reads safetensors; convert other formats with transformers' save_pretrained",
        )
    return files


def _read_header(file: Path) -> dict[str, Stored]:
    size = file.stat().st_size
    try:
        with file.open("rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            if not 2 <= length <= size - 8:
                raise ValueError(f"header of {length} bytes in a file of {size}")
            header: Mapping[str, Any] = json.loads(handle.read(length))
        return {
            name: _stored(file, entry, 8 + length, size)
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{file} is not a whole safetensors file: {error}", AGAIN) from error


def _stored(file: Path, entry: Mapping[str, Any], data: int, size: int) -> Stored:
    stored = Stored(file, entry["dtype"], tuple(entry["shape"]), data + entry["data_offsets"][0])
    if stored.dtype not in DTYPES:
        raise ValueError(f"dtype {stored.dtype}; the engine reads {', '.join(DTYPES)}")
    end = stored.begin + stored.count * DTYPES[stored.dtype].itemsize
    is_inside = data <= stored.begin <= end <= size and end == data + entry["data_offsets"][1]
    if not is_inside or min(stored.shape, default=0) < 0:
        raise ValueError(f"a tensor of shape {stored.shape} at bytes {stored.begin} to {end} of {size}")
    return stored
