"""Which bytes on the disk a new answer goes on from. Source of the rules: RFC 9110, sections 13.1.5, 15.3.7."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.ground import files
from assay.ground.partial import Partial

URL = "https://host/f?sig=secret"
ETAG, DATE = '"v1"', "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.fixture
def partial(tmp_path: Path) -> Partial:
    return Partial(tmp_path / "model.bin")


def test_nothing_has_arrived_of_a_new_file(partial: Partial) -> None:
    assert partial.size_bytes == 0
    assert partial.validator(URL) is None
    assert not partial.was_resumed


def test_what_arrived_belongs_to_one_version_of_one_address(partial: Partial) -> None:
    partial.start(URL, ETAG, 100)
    partial.path.write_bytes(b"1234")
    assert partial.size_bytes == 4
    assert partial.validator(URL) == ETAG
    assert partial.validator("https://host/other") is None


def test_another_process_finds_it_under_the_same_target(partial: Partial, tmp_path: Path) -> None:
    partial.start(URL, ETAG, None)
    assert Partial(tmp_path / "model.bin").validator(URL) == ETAG
    assert Partial(tmp_path / "other.bin").validator(URL) is None


@pytest.mark.parametrize(
    ("before", "now", "goes_on"),
    [
        (ETAG, ETAG, True),
        (ETAG, '"v2"', False),
        (ETAG, None, False),  # a 206 must repeat the ETag
        (DATE, DATE, True),
        (DATE, None, True),  # and need not repeat the date
        (DATE, "Thu, 22 Oct 2015 07:28:00 GMT", False),
        (None, ETAG, True),
        (None, None, True),
    ],
)
def test_an_answer_goes_on_under_the_validator_it_began_with(
    partial: Partial, before: str | None, now: str | None, goes_on: bool
) -> None:
    partial.start(URL, before, None)
    assert partial.goes_on(URL, now, None) is goes_on


@pytest.mark.parametrize(
    ("before", "now", "goes_on"), [(100, 100, True), (100, 101, False), (None, 101, True), (100, None, True)]
)
def test_an_answer_goes_on_under_the_whole_size_it_began_with(
    partial: Partial, before: int | None, now: int | None, goes_on: bool
) -> None:
    partial.start(URL, ETAG, before)
    assert partial.goes_on(URL, ETAG, now) is goes_on


def test_a_body_from_its_first_byte_begins_empty(partial: Partial) -> None:
    partial.path.write_bytes(b"old")
    partial.was_resumed = True
    partial.start(URL, ETAG, 5)
    assert (partial.size_bytes, partial.was_resumed) == (0, False)


def test_the_state_on_the_disk_holds_no_secret_of_the_address(partial: Partial, tmp_path: Path) -> None:
    partial.start(URL, ETAG, 5)
    assert "secret" not in "".join(path.read_text() for path in tmp_path.glob(".model.bin*"))


@pytest.mark.parametrize("state", ["", "{", "[]", "null", '"x"', "{}", '{"of": 1}', "[" * 100_000])
def test_a_damaged_state_is_as_good_as_none(partial: Partial, tmp_path: Path, state: str) -> None:
    partial.start(URL, ETAG, 5)
    (tmp_path / ".model.bin.part.json").write_text(state)
    assert partial.validator(URL) is None


def test_dropped_nothing_is_left(partial: Partial, tmp_path: Path) -> None:
    partial.drop()
    partial.start(URL, ETAG, 5)
    partial.drop()
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_whole_file_takes_its_name_and_leaves_no_state(partial: Partial, tmp_path: Path) -> None:
    partial.start(URL, ETAG, 5)
    partial.path.write_bytes(b"12345")
    partial.become(tmp_path / "model.bin")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["model.bin"]
    assert (tmp_path / "model.bin").read_bytes() == b"12345"


@pytest.mark.parametrize("size_bytes", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_digest_is_that_of_the_whole_file_at_every_edge_of_a_chunk(tmp_path: Path, size_bytes: int) -> None:
    content = b"\x07" * size_bytes
    (tmp_path / "f").write_bytes(content)
    assert files.digest(tmp_path / "f", "md5") == hashlib.md5(content).hexdigest()
    assert files.digest(tmp_path / "f", "sha256") == hashlib.sha256(content).hexdigest()


def test_the_digests_of_abc_are_the_published_ones(tmp_path: Path) -> None:
    """RFC 1321 appendix A.5; FIPS 180-2 appendix B.1."""
    (tmp_path / "f").write_bytes(b"abc")
    assert files.digest(tmp_path / "f", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    assert files.digest(tmp_path / "f", "sha256").startswith("ba7816bf8f01cfea414140de5dae2223")


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ((3, None, None), None),
        ((4, None, None), "3 bytes arrived, 4 are expected"),
        ((None, None, None), None),
        ((None, None, "900150983CD24FB0D6963F7D28E17F72"), None),
        ((None, None, "0" * 32), "md5 is 900150983cd24fb0d6963f7d28e17f72, " + "0" * 32 + " is expected"),
        ((3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "0" * 32), None),
        ((4, "0" * 64, None), "3 bytes arrived, 4 are expected"),
    ],
)
def test_what_arrived_is_held_against_size_then_the_stronger_hash(
    partial: Partial, expected: tuple[int | None, str | None, str | None], reason: str | None
) -> None:
    partial.path.write_bytes(b"abc")
    assert partial.mismatch(*expected) == reason
