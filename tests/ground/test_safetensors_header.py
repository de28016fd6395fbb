"""Source of the layout: the safetensors format description (length, JSON header, data)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from assay.ground.errors import ArtifactError
from assay.ground.safetensors_header import BITS, read_header


def written(path: Path, header: Any, data: bytes) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def entry(dtype: str, shape: Any, begin: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_the_tensors_of_a_file_are_where_the_library_wrote_them(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array([7, 8], dtype=np.int64),
        "scalar": np.array(2.5, dtype=np.float64),
        "none": np.zeros((0, 4), dtype=np.float16),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    header = read_header(path)
    content = path.read_bytes()
    assert header.keys() == tensors.keys()
    for name, tensor in tensors.items():
        stored = header[name]
        assert (stored.shape, stored.count) == (tensor.shape, tensor.size)
        assert content[stored.begin : stored.begin + tensor.nbytes] == tensor.tobytes()


@pytest.mark.parametrize(
    ("dtype", "count", "size_bytes"),
    [
        ("F32", 3, 12),
        ("BF16", 3, 6),
        ("F8_E4M3", 3, 3),
        ("F4", 4, 2),
        ("F6_E2M3", 4, 3),
        ("C64", 1, 8),
        ("BOOL", 5, 5),
    ],
)
def test_a_dtype_takes_its_bits(dtype: str, count: int, size_bytes: int, tmp_path: Path) -> None:
    header = {"t": entry(dtype, [count], 0, size_bytes)}
    path = written(tmp_path / "m", header, bytes(size_bytes))
    assert read_header(path)["t"].begin == 8 + len(json.dumps(header))
    one_more = written(tmp_path / "m", {"t": entry(dtype, [count], 0, size_bytes + 1)}, bytes(size_bytes + 1))
    with pytest.raises(ArtifactError, match="is not a whole safetensors file"):
        read_header(one_more)


PAIR = {"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 4, 8)}


@pytest.mark.parametrize(
    ("header", "data", "words"),
    [
        (PAIR, bytes(9), "its tensors end at byte"),
        ({**PAIR, "b": entry("U8", [4], 0, 4)}, bytes(8), "a tensor begins at byte"),
        ({**PAIR, "b": entry("U8", [4], 2, 6)}, bytes(6), "a tensor begins at byte"),
        ({**PAIR, "b": entry("U8", [4], 5, 9)}, bytes(9), "a tensor begins at byte"),
        ({"b": PAIR["b"]}, bytes(8), "a tensor begins at byte"),
        (json.dumps(PAIR).replace('"b"', '"a"').encode(), bytes(8), "a name stands twice"),
    ],
    ids=["bytes behind", "the same bytes", "overlap", "a hole", "a hole before", "a name twice"],
)
def test_what_the_library_refuses_is_refused(header: Any, data: bytes, words: str, tmp_path: Path) -> None:
    path = written(tmp_path / "m", header, data)
    with pytest.raises(ArtifactError, match=words):
        read_header(path)
    if isinstance(header, dict):
        with pytest.raises(SafetensorError):
            load_file(path)
    whole = read_header(written(tmp_path / "m", PAIR, bytes(8)))
    assert [(one.end - one.begin) for one in whole.values()] == [4, 4]


def test_every_dtype_of_the_format_has_its_bits() -> None:
    assert {dtype: bits for dtype, bits in BITS.items() if bits not in (8, 16, 32, 64)} == {
        "F6_E2M3": 6,
        "F6_E3M2": 6,
        "F4": 4,
    }


@pytest.mark.parametrize(
    "header",
    [
        {"t": entry("F32", [2], 0, 8)},  # beyond the end of the file, which has 4
        {"t": entry("F32", [1], 4, 8)},
        {"t": entry("F32", [1], -4, 0)},
        {"t": entry("F32", [1], 4, 0)},
        {"t": entry("F32", [-1, -1], 0, 4)},
        {"t": entry("F31", [1], 0, 4)},
        {"t": entry("F32", ["1"], 0, 4)},
        {"t": entry("F32", None, 0, 4)},
        {"t": entry("F32", [1], None, 4)},
        {"t": {"dtype": "F32", "shape": [1]}},
        {"t": {"dtype": "F32", "shape": [1], "data_offsets": [0]}},
        {"t": 5},
        {"t": entry(["F32"], [1], 0, 4)},  # type: ignore[arg-type]
        [],
        5,
        b"{",
        b"\xff\xff",
        b"[" * 5000,
    ],
)
def test_a_header_that_does_not_fit_its_file_is_refused(header: Any, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="m is not a whole safetensors file") as error:
        read_header(written(tmp_path / "m", header, bytes(4)))
    assert error.value.hint == "fetch this file of the checkpoint again"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 7,
        b"\0" * 8,
        (1).to_bytes(8, "little") + b"{}",
        (99).to_bytes(8, "little") + b"{}",
        b"\xff" * 10,
    ],
)
def test_a_file_shorter_than_its_header_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"header of \d+ bytes in a file of \d+"):
        read_header(tmp_path / "m")


def test_a_file_that_is_not_there_is_told_the_same_way(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="No such file"):
        read_header(tmp_path / "absent")


@given(st.integers(0, 10_000), st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_ends_in_tensors_inside_the_file_or_in_an_error(
    tmp_path: Path, place: int, byte: int
) -> None:
    header = {"__metadata__": {"a": "b"}, "t": entry("F32", [2, 1], 0, 8), "u": entry("I8", [4], 8, 12)}
    path = written(tmp_path / "m", header, bytes(12))
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(bytes(content))
    try:
        found = read_header(path)
    except ArtifactError:
        return
    ends = [stored.begin + stored.count * BITS[stored.dtype] // 8 for stored in found.values()]
    assert all(stored.begin >= 8 for stored in found.values())
    assert all(end <= len(content) for end in ends)


def test_a_file_of_an_empty_header_alone_holds_no_tensor(tmp_path: Path) -> None:
    assert read_header(written(tmp_path / "m", {}, b"")) == {}
