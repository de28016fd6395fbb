"""Contents of a tree are read on demand; what cannot be used is a fault, never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.mlperf.checker import tree as trees
from assay.mlperf.checker.submission import Submitter
from assay.mlperf.checker.tree import Tree
from assay.mlperf.checker.walk import walk
from assay.mlperf.rounds import round as rounds


def tree(root: Path, **files: bytes) -> Tree:
    for name, content in files.items():
        (root / name).write_bytes(content)
    return walk(root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    return root


def test_what_is_not_there_is_none_without_a_fault(root: Path) -> None:
    listed = tree(root)
    assert (listed.read("x"), listed.text("x"), listed.json("x"), listed.log("x")) == (None, None, None, None)
    assert listed.faults == {}


def test_a_text_of_windows_says_the_same(root: Path) -> None:
    assert tree(root, a=b"x\r\ny\rz\n").text("a") == "x\ny\nz\n"


def test_bytes_that_are_no_utf_8_are_read_and_told(root: Path) -> None:
    listed = tree(root, a=b"\xe9x")
    assert listed.text("a") == "\N{REPLACEMENT CHARACTER}x"
    assert listed.faults["a"].startswith("not UTF-8: ")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"[1]", "a JSON object is needed, found list"),
        (b"null", "a JSON object is needed, found NoneType"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_json_object_is_a_fault(content: bytes, fault: str, root: Path) -> None:
    listed = tree(root, a=content)
    assert listed.json("a") is None
    assert listed.faults["a"].startswith(fault)
    assert len(listed.faults["a"]) <= 200


def test_a_json_object_is_read(root: Path) -> None:
    assert tree(root, a=b'{"k": 1}').json("a") == {"k": 1}


def test_a_file_above_the_limit_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "READ_MAX_BYTES", 3)
    listed = tree(root, a=b"1234", b=b"123")
    assert (listed.read("a"), listed.read("b")) == (None, b"123")
    assert listed.faults == {"a": "4 bytes, not read"}


def test_a_file_that_went_away_is_a_fault(root: Path) -> None:
    listed = tree(root, a=b"1")
    (root / "a").unlink()
    assert listed.read("a") is None
    assert listed.faults == {"a": "No such file or directory"}


def test_subfolders_are_the_names_that_are_folders(root: Path) -> None:
    (root / "closed/Me").mkdir(parents=True)
    listed = tree(root, file=b"")
    assert listed.subfolders("") == ("closed",)
    assert listed.subfolders("closed") == ("Me",)
    assert listed.subfolders("absent") == ()


@pytest.mark.parametrize(("division", "is_gated"), [("closed", True), ("network", True), ("open", False)])
def test_open_is_not_held_against_the_targets(division: str, is_gated: bool, root: Path) -> None:
    assert Submitter(tree(root), rounds.load("v5.1"), division, "Me").is_gated is is_gated


def test_a_mapping_of_models_counts_in_open_alone(root: Path) -> None:
    for division in ("closed", "open"):
        place = root / division / "Me"
        (place / "results/box/mine/Offline").mkdir(parents=True)
        (place / "model_mapping.json").write_text('{"mine": "mixtral-8x7b"}')
    listed, round_ = walk(root), rounds.load("v5.1")
    found = {
        division: Submitter(listed, round_, division, "Me").systems()[0].benchmarks()[0]
        for division in ("closed", "open")
    }
    assert found["open"].official == "mixtral-8x7b" and found["open"].rules is not None
    assert found["closed"].official == "mine" and found["closed"].rules is None


@pytest.mark.parametrize(
    ("folder", "key"),
    [("llama2-70b-99.9", "llama2-70b"), ("llama3.1-8b", "llama3_1-8b"), ("mixtral-8x7b", "mixtral-8x7b")],
)
def test_loadgen_has_names_of_its_own(folder: str, key: str, root: Path) -> None:
    (root / "closed/Me/results/box" / folder / "Offline").mkdir(parents=True)
    system = Submitter(walk(root), rounds.load("v5.1"), "closed", "Me").systems()[0]
    assert system.benchmarks()[0].loadgen_key == key


@pytest.mark.parametrize(
    ("fields", "suite"),
    [
        ('{"system_type": "edge"}', "edge"),
        ('{"system_type": "laptop"}', "datacenter"),
        ("{", "datacenter"),
        (None, "datacenter"),
    ],
)
def test_a_system_of_no_known_suite_is_read_as_datacenter(fields: str | None, suite: str, root: Path) -> None:
    (root / "closed/Me/results/box").mkdir(parents=True)
    (root / "closed/Me/systems").mkdir()
    if fields is not None:
        (root / "closed/Me/systems/box.json").write_text(fields)
    assert Submitter(walk(root), rounds.load("v5.1"), "closed", "Me").systems()[0].suite == suite
