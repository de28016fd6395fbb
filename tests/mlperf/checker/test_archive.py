"""Packed submissions: judged like the tree they hold, and never trusted."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.mlperf.checker import archive as archives
from assay.mlperf.checker.archive import is_archive, unpacked
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


def header(name: str, kind: bytes = tarfile.REGTYPE, size: bytes = b"%011o\0" % 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type = kind
    block = info.tobuf(tarfile.USTAR_FORMAT)
    block = block[:124] + size + block[136:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def damaged(content: bytes) -> bytes:
    return content[:3000] + b"\xaa" * 100 + content[3100:]


NOISE = header("a", size=b"%011o\0" % 10240) + random.Random(1).randbytes(10240) + bytes(1024)


@pytest.mark.parametrize(
    "content",
    [
        header("a") + header("b", size=(-512).to_bytes(12, "big", signed=True)) + bytes(1024),
        (header("x", b"L", b"%011o\0" % 2) + b"a".ljust(512, b"\0")) * 3000 + header("z") + bytes(1024),
        damaged(gzip.compress(NOISE)),
        damaged(bz2.compress(NOISE)),
        damaged(lzma.compress(NOISE)),
    ],
    ids=["back to itself", "3000 long names for one member", "gzip", "bzip2", "xz"],
)
def test_a_crafted_or_damaged_archive_is_a_finding(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "evil.tar.gz"
    archive.write_bytes(content)
    assert "cannot be unpacked" in next(f.message for f in check(archive, V51).findings if f.code == "T16")


def test_an_archive_of_endless_empty_files_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.ground.budget.DISK_FLOOR_BYTES", 1 << 20)
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(3000):
            tar.addfile(tarfile.TarInfo(f"closed/{number}"))
    assert any("unfolds to more than" in f.message for f in check(archive, V51).findings)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a.tar", True), ("a.tar.gz", True), ("a.tgz", True), ("a.zip", False), ("a.gz", False), ("tar", False)],
)
def test_an_archive_is_known_by_its_name(tmp_path: Path, name: str, is_one: bool) -> None:
    (tmp_path / name).write_bytes(b"")
    assert is_archive(tmp_path / name) is is_one
    assert not is_archive(tmp_path / f"missing-{name}")
    (tmp_path / "folder.tar").mkdir()
    assert not is_archive(tmp_path / "folder.tar")


def files_of(archive: Path) -> tuple[dict[str, bytes], tuple[tuple[str, str], ...], Path]:
    """What lies in the folder of an unpacked archive, its faults, and the folder, which is gone by then."""
    with unpacked(archive) as found:
        assert found.name == archive.name
        content = {
            path.relative_to(found.root).as_posix(): path.read_bytes()
            for path in sorted(found.root.rglob("*"))
            if path.is_file()
        }
    return content, found.faults, found.root


def tar(archive: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(archive, "w") as out:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return archive


@pytest.mark.parametrize(
    ("prefix", "inside"),
    [("", ""), ("tree/", ""), ("closed-tree/", ""), ("closed/", "closed/"), ("a/b/", "b/")],
)
def test_the_trees_own_name_is_taken_off_and_a_divisions_is_not(
    tmp_path: Path, prefix: str, inside: str
) -> None:
    members = {f"{prefix}open/A/x": b"1", f"{prefix}y": b"22"}
    content, faults, root = files_of(tar(tmp_path / "t.tar", members))
    assert content == {f"{inside}open/A/x": b"1", f"{inside}y": b"22"} and faults == ()
    assert not root.exists()


def test_a_member_above_the_limit_stays_packed_and_the_others_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.mlperf.checker.tree.FILE_MAX_BYTES", 10)
    content, faults, _ = files_of(tar(tmp_path / "t.tar", {"closed/a": b"x" * 10, "closed/b": b"x" * 11}))
    assert list(content) == ["closed/a"] and faults == (("closed/b", "is 11 bytes"),)


def test_what_comes_after_the_limit_of_the_whole_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "TOTAL_MAX_BYTES", 20)
    members = {f"closed/{name}": b"x" * 10 for name in "abcd"}
    content, faults, _ = files_of(tar(tmp_path / "t.tar", members))
    assert list(content) == ["closed/a", "closed/b"]
    assert faults == (("closed/c", "more than 20 bytes in all"),)


def test_a_hard_link_shares_the_content_and_comes_after_its_target(tmp_path: Path) -> None:
    archive = tmp_path / "t.tar"
    with tarfile.open(archive, "w") as out:
        out.addfile(link(tarfile.LNKTYPE, "closed/later", "closed/first"))
        out.addfile(link(tarfile.LNKTYPE, "closed/nowhere", "closed/lost"))
        info = tarfile.TarInfo("closed/later")
        info.size = 3
        out.addfile(info, io.BytesIO(b"abc"))
    content, faults, _ = files_of(archive)
    assert content == {"closed/first": b"abc", "closed/later": b"abc"}
    assert faults == (("closed/lost", "leads out of the archive"),)


def test_a_link_in_the_place_of_a_file_is_not_made(tmp_path: Path) -> None:
    archive = tmp_path / "t.tar"
    with tarfile.open(archive, "w") as out:
        info = tarfile.TarInfo("closed/a")
        info.size = 3
        out.addfile(info, io.BytesIO(b"abc"))
        out.addfile(link(tarfile.SYMTYPE, "b", "closed/a"))
    content, faults, _ = files_of(archive)
    assert content == {"closed/a": b"abc"} and [name for name, _ in faults] == ["closed/a"]


def test_a_file_where_a_folder_is_wanted_is_a_fault_and_what_came_before_is_kept(tmp_path: Path) -> None:
    content, faults, _ = files_of(tar(tmp_path / "t.tar", {"closed/a": b"1", "closed/a/b": b"2"}))
    assert content == {"closed/a": b"1"}
    ((name, reason),) = faults
    assert name == "" and reason.startswith("cannot be unpacked")


def test_a_name_with_a_nul_leads_out(tmp_path: Path) -> None:
    info = tarfile.TarInfo("closed/x")
    info.pax_headers = {"path": "closed/a\0b"}
    archive = tmp_path / "t.tar"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as out:
        out.addfile(info, io.BytesIO(b""))
    content, faults, _ = files_of(archive)
    assert content == {} and faults == (("closed/a\0b", "leads out of the archive"),)


@pytest.mark.parametrize(("test", "is_taken"), [("TEST09", True), ("TEST07", False)])
def test_only_the_log_of_test09_may_be_larger_than_a_file_of_a_submission(test: str, is_taken: bool) -> None:
    folder = f"tree/closed/Tester/results/box/gpt-oss-120b/Offline/{test}/accuracy"
    member = tarfile.TarInfo(f"{folder}/mlperf_log_accuracy.json")
    member.size = 65 << 20
    assert (archives._refused(member) == "") is is_taken
