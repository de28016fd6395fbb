"""The archive of a tree."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from assay.ground.errors import ConfigError
from assay.mlperf.submission.pack import archive_of, pack


def make_tree(root: Path) -> Path:
    for name in ("closed/b/z.txt", "closed/a/x.txt", "README.md"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def test_the_same_tree_gives_the_same_bytes_whatever_its_times_and_modes(tmp_path: Path) -> None:
    one, two = make_tree(tmp_path / "1" / "tree"), make_tree(tmp_path / "2" / "tree")
    os.utime(two / "README.md", (1, 1))
    (two / "README.md").chmod(0o600)
    digests = [pack(tree, tree.with_name("tree.tar.gz")) for tree in (one, two)]
    assert digests[0] == digests[1]
    archive = tmp_path / "1" / "tree.tar.gz"
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == digests[0]
    assert (tmp_path / "1" / "tree.tar.gz.sha256").read_text() == f"{digests[0]}  tree.tar.gz\n"


def test_the_archive_holds_every_file_below_the_name_of_the_tree(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    pack(tree, tmp_path / "out.tar.gz")
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        assert tar.getnames() == ["tree/README.md", "tree/closed/a/x.txt", "tree/closed/b/z.txt"]
        content = tar.extractfile("tree/closed/a/x.txt")
        assert content is not None
        assert content.read() == b"closed/a/x.txt"


def test_an_archive_inside_its_tree_is_refused(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    with pytest.raises(ConfigError, match="inside the tree"):
        pack(tree, tree / "out.tar.gz")


def test_a_failing_pack_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no submission tree"):
        pack(tmp_path / "missing", tmp_path / "out" / "tree.tar.gz")
    assert not (tmp_path / "out").exists()


def test_a_kill_after_the_archive_leaves_no_digest_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, archive = make_tree(tmp_path / "tree"), tmp_path / "tree.tar.gz"
    pack(tree, archive)
    (tree / "README.md").write_text("another")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("assay.ground.files.write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        pack(tree, archive)
    assert archive.exists() and not (tmp_path / "tree.tar.gz.sha256").exists()


def test_links_are_stored_as_links_those_to_folders_too(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    (tree / "file").symlink_to("README.md")
    (tree / "folder").symlink_to("closed/a")
    (tree / "nowhere").symlink_to("absent")
    pack(tree, tmp_path / "out.tar.gz")
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        links = {member.name: member.linkname for member in tar if member.issym()}
    assert links == {"tree/file": "README.md", "tree/folder": "closed/a", "tree/nowhere": "absent"}


def test_the_archive_lies_beside_its_tree_also_where_the_tree_is_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = make_tree(tmp_path / "tree")
    assert archive_of(tree) == tmp_path / "tree.tar.gz"
    monkeypatch.chdir(tree)
    assert archive_of(Path()) == tmp_path / "tree.tar.gz"
    monkeypatch.chdir(tree / "closed")
    assert archive_of(Path("..")) == tmp_path / "tree.tar.gz"
