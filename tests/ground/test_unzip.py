"""An archive lands whole below its folder, or leaves everything as it was."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError, AssayError
from assay.ground.unzip import unpack


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of the test's own: nothing else is in it."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def archive(*files: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return held.getvalue()


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_land_below_the_folder_without_the_first_ones_of_their_path(place: Path) -> None:
    (place / "a.zip").write_bytes(archive(("top/x", b"1"), ("top/sub/y", b"2"), ("top/empty/", b"")))
    files = unpack(place / "a.zip", place / "to", strip_folders=1)
    assert [path.read_bytes() for path in files] == [b"2", b"1"]
    assert names(place / "to") == ["sub", "sub/y", "x"]


def test_what_is_there_stays_and_a_file_of_the_same_name_is_replaced(place: Path) -> None:
    (place / "a.zip").write_bytes(archive(("x", b"new"), ("z", b"z")))
    to = place / "to"
    to.mkdir()
    (to / "x").write_bytes(b"old")
    (to / "mine").write_bytes(b"mine")
    unpack(place / "a.zip", to)
    assert {path.name: path.read_bytes() for path in to.iterdir()} == {
        "x": b"new",
        "mine": b"mine",
        "z": b"z",
    }


def encrypted(content: bytes) -> bytes:
    return content.replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0").replace(
        b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"no zip",
        archive(("a", b"1"), ("b", bytes(99)))[:-30],
        archive(("a", b"content")).replace(zlib.compress(b"content")[2:-4], b"\xff" * 9),
        encrypted(archive(("a", b"1"))),
        archive(("a", b"1"), ("../out", b"2")),
        archive(("a", b"1"), ("/etc/out", b"2")),
        archive(("a", b"1"), ("a/b", b"2")),
        archive(("a", b"1"), ("x" * 300, b"2")),
        archive(("a", b"1"), ("..", b"2")),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_an_archive_that_cannot_be_unpacked_leaves_the_folder_as_it_was(
    place: Path, content: bytes, is_new: bool
) -> None:
    (place / "a.zip").write_bytes(content)
    if not is_new:
        (place / "to").mkdir()
    with pytest.raises(AssayError):
        unpack(place / "a.zip", place / "to")
    assert names(place) == ["a.zip", *([] if is_new else ["to"])]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_is_the_archives_whatever_packed_it(place: Path, method: int) -> None:
    with zipfile.ZipFile(place / "a.zip", "w", method) as made:
        made.writestr("a", random.Random(1).randbytes(3000))
    content = (place / "a.zip").read_bytes()
    (place / "a.zip").write_bytes(content[:500] + b"\xff" * 9 + content[509:])
    with pytest.raises(ArtifactError, match="cannot be unpacked"):
        unpack(place / "a.zip", place / "to")


def test_a_bomb_is_refused_before_it_fills_the_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.ground.budget.DISK_FLOOR_BYTES", 1 << 20)
    (place / "a.zip").write_bytes(archive(("a", bytes(10 << 20))))
    with pytest.raises(AssayError, match="refused: it unfolds to more than 1 MiB and 100 times its size"):
        unpack(place / "a.zip", place / "to")
    assert names(place) == ["a.zip"]


def test_a_link_that_is_there_leads_no_file_out(place: Path) -> None:
    (place / "outside").mkdir()
    (place / "to").mkdir()
    (place / "to" / "link").symlink_to(place / "outside")
    (place / "a.zip").write_bytes(archive(("a", b"1"), ("link/x", b"2")))
    with pytest.raises(AssayError, match="outside"):
        unpack(place / "a.zip", place / "to")
    assert names(place / "outside") == []
    assert names(place / "to") == ["link"]
