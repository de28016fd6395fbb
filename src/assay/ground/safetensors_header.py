"""The header of a safetensors file: which tensors it holds and where they lie. No tensor is read.

Source: safetensors format description, https://github.com/huggingface/safetensors (8 bytes of header length,
JSON header, data).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError

BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
"""Bits of one element by dtype. Source: the format's `Dtype`."""


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

    @property
    def end(self) -> int:
        """Byte of the file behind its last one."""
        return self.begin + self.count * BITS[self.dtype] // 8


def read_header(file: Path) -> dict[str, Stored]:
    """The tensors of one file by name. Raises: ArtifactError for a file that is not a whole safetensors file."""
    try:
        size = file.stat().st_size
        with file.open("rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            if not 2 <= length <= size - 8:
                raise ValueError(f"header of {length} bytes in a file of {size}")
            header: Mapping[str, Any] = json.loads(handle.read(length), object_pairs_hook=_once)
        found = {
            name: _stored(file, entry, 8 + length, size)
            for name, entry in header.items()
            if name != "__metadata__"
        }
        _refuse_gaps(found.values(), 8 + length, size)
        return found
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ArtifactError(
            f"{file} is not a whole safetensors file: {error}", "fetch this file of the checkpoint again"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Source: the format description, "Duplicate keys are disallowed"."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in the header")
    return found


def _refuse_gaps(found: Iterable[Stored], data: int, size: int) -> None:
    """Source: the format description, the byte buffer is indexed entirely and has no holes."""
    for each in sorted(found, key=lambda stored: (stored.begin, stored.end)):
        if each.begin != data:
            raise ValueError(f"a tensor begins at byte {each.begin}, and the one before it ends at {data}")
        data = each.end
    if data != size:
        raise ValueError(f"its tensors end at byte {data} of {size}")


def _stored(file: Path, entry: Mapping[str, Any], data: int, size: int) -> Stored:
    stored = Stored(file, entry["dtype"], tuple(entry["shape"]), data + entry["data_offsets"][0])
    if stored.dtype not in BITS:
        raise ValueError(f"dtype {stored.dtype} is not known")
    end = stored.end
    is_inside = data <= stored.begin <= end <= size and end == data + entry["data_offsets"][1]
    if not is_inside or min(stored.shape, default=0) < 0:
        raise ValueError(f"a tensor of shape {stored.shape} at bytes {stored.begin} to {end} of {size}")
    return stored
