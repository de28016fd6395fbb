"""Packed submissions: judged like the tree they hold, and never trusted."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.mlperf.checker.check import check
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.pack import pack
from tests.mlperf.checker.good_tree import GoodTree

V51 = rounds.load("v5.1")


def packed(folder: Path) -> Path:
    tree = GoodTree.make(folder)
    pack(tree.root, folder / "tree.tar.gz")
    return folder / "tree.tar.gz"


def with_member(folder: Path, member: tarfile.TarInfo, content: bytes = b"x") -> Path:
    """A good archive and one more member."""
    archive = folder / "evil.tar"
    tree = GoodTree.make(folder)
    with tarfile.open(archive, "w") as tar:
        tar.add(tree.root, "tree")
        member.size = len(content) if member.isreg() else 0
        tar.addfile(member, io.BytesIO(content))
    return archive


def test_a_packed_tree_is_judged_like_the_tree(tmp_path: Path) -> None:
    report = check(packed(tmp_path), V51)
    assert report.is_clean
    assert len(report.rows) == 2


@pytest.mark.parametrize(
    "name", ["../outside", "tree/../../outside", "/tmp/assay-outside", "tree/closed/../../../x"]
)
def test_a_member_that_leads_out_is_a_finding_and_stays_packed(tmp_path: Path, name: str) -> None:
    report = check(with_member(tmp_path / "in", tarfile.TarInfo(name)), V51)
    assert [f.code for f in report.findings] == ["T16"]
    assert "leads out" in report.findings[0].found
    assert not (tmp_path / "outside").exists()
    assert not Path("/tmp/assay-outside").exists()


def link(kind: bytes, target: str, name: str = "tree/closed/Tester/code/thing") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.FIFOTYPE, ""),
        (tarfile.CHRTYPE, ""),
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "../../../../../etc/passwd"),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.LNKTYPE, "../../etc/passwd"),
    ],
)
def test_devices_and_links_that_lead_out_stay_packed(tmp_path: Path, kind: bytes, target: str) -> None:
    assert [f.code for f in check(with_member(tmp_path, link(kind, target)), V51).findings] == ["T16"]


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "mixtral-8x7b"),
        (tarfile.SYMTYPE, "../calibration.md"),
        (tarfile.LNKTYPE, "tree/closed/Tester/calibration.md"),
    ],
)
def test_links_inside_an_archive_are_those_of_the_tree(tmp_path: Path, kind: bytes, target: str) -> None:
    assert not check(with_member(tmp_path, link(kind, target)), V51).findings


def test_no_link_of_an_archive_is_made_through_another_link(tmp_path: Path) -> None:
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(link(tarfile.SYMTYPE, "../../top", "a/b/up"))  # lies in top/, whatever it is called
        tar.addfile(link(tarfile.SYMTYPE, "a/b/up/..", "out"))
        tar.addfile(link(tarfile.SYMTYPE, "evil", "out/planted"))
    assert "out/planted leads out of the archive" in [f.message for f in check(archive, V51).findings]


@pytest.mark.parametrize("keep", [0, 10, 100, 3000])
def test_a_cut_archive_is_a_finding(tmp_path: Path, keep: int) -> None:
    archive = packed(tmp_path)
    archive.write_bytes(archive.read_bytes()[:keep])
    assert "T16" in {f.code for f in check(archive, V51).findings}


@given(st.binary(max_size=600))
def test_any_bytes_are_judged(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "x.tar.gz"
    path.write_bytes(content)
    assert not check(path, V51).is_clean


def extension(size_bytes: int) -> bytes:
    """The header of an extended header that says it is so long, and what follows of it."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, size_bytes
    return info.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 21)


def test_an_extended_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    archive = tmp_path / "evil.tar.gz"
    archive.write_bytes(gzip.compress(extension(4 << 30)))
    [finding] = [f for f in check(archive, V51).findings if f.code == "T16"]
    assert "an extended header of 4,294,967,296 bytes" in finding.message


def test_an_archive_of_endless_empty_files_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.ground.budget.DISK_FLOOR_BYTES", 1 << 20)
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(3000):
            tar.addfile(tarfile.TarInfo(f"closed/{number}"))
    assert any("unfolds to more than" in f.message for f in check(archive, V51).findings)
