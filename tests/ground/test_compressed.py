from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.ground.budget import FLOOR_BYTES, Budget
from assay.ground.compressed import read
from assay.ground.errors import ArtifactError


def zipped(*contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.txt", content)
    return buffer.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


def unpacked(path: Path, content: bytes) -> bytes:
    path.write_bytes(content)
    return read(path, Budget.of(path, len(content)))


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_file_is_known_by_its_first_bytes_not_by_its_name(kind: str, tmp_path: Path) -> None:
    text = "füü\n".encode() * 1000
    assert unpacked(tmp_path / "plain.txt", PACKERS[kind](text)) == text


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f", b"PK", b"BZ", b"\0\x1f\x8b"])
def test_any_other_file_comes_as_it_is(content: bytes, tmp_path: Path) -> None:
    assert unpacked(tmp_path / "f.gz", content) == content


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_cut_short_is_damaged(kind: str, tmp_path: Path) -> None:
    whole = PACKERS[kind](bytes(range(256)) * 100)
    with pytest.raises(ArtifactError, match=rf"f: a damaged {kind} file \(") as error:
        unpacked(tmp_path / "f", whole[: len(whole) // 2])
    assert error.value.hint == "compare its checksum with the publisher's"


@pytest.mark.parametrize("kind", PACKERS)
def test_zeros_beyond_the_budget_are_refused_before_they_are_all_read(kind: str, tmp_path: Path) -> None:
    bomb = PACKERS[kind](bytes(FLOOR_BYTES * 3))
    with pytest.raises(ArtifactError, match="unfolds to more than 16 MiB"):
        unpacked(tmp_path / "f", bomb)


def test_of_a_zip_one_file_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="2 files in one zip"):
        unpacked(tmp_path / "f", zipped(b"x", b"y"))


def test_zstd_is_named_with_the_command_that_unpacks_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="packed with zstd") as error:
        unpacked(tmp_path / "f.pkl.zst", b"\x28\xb5\x2f\xfd rest")
    assert error.value.hint == "zstd -d f.pkl.zst"


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent", Budget.of("absent", 0))


@given(st.binary(max_size=200), st.sampled_from(sorted(PACKERS)), st.integers(0, 300), st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_ends_in_the_content_or_in_one_kind_of_error(
    tmp_path: Path, content: bytes, kind: str, place: int, byte: int
) -> None:
    packed = bytearray(PACKERS[kind](content))
    packed[place % len(packed)] = byte
    try:
        assert isinstance(unpacked(tmp_path / "f", bytes(packed)), bytes)
    except ArtifactError as error:
        assert "f: " in error.message
