"""The listing of a tree: nothing outside of it is entered, nothing that is no file is opened, and it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.mlperf.checker import walk as walking
from assay.mlperf.checker.walk import DEPTH_MAX, walk


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "closed/Me/code").mkdir(parents=True)
    (root / "closed/Me/code/run.py").write_text("12345")
    (root / "closed/You").mkdir()
    (root / "closed/You/file").write_text("")
    return root


def test_files_have_their_sizes_and_folders_their_names(root: Path) -> None:
    tree = walk(root)
    assert tree.files == {"closed/Me/code/run.py": 5, "closed/You/file": 0}
    assert tree.folders == {
        "": ("closed",),
        "closed": ("Me", "You"),
        "closed/Me": ("code",),
        "closed/Me/code": ("run.py",),
        "closed/You": ("file",),
    }
    assert (tree.broken_links, tree.foreign_links, tree.special, tree.linked) == ((), (), (), ())


def test_with_a_submitter_of_each_division_only_their_folder_is_listed(root: Path) -> None:
    (root / "closed/loose.txt").write_text("")
    (root / "other").mkdir()
    tree = walk(root, "Me")
    assert set(tree.files) == {"closed/Me/code/run.py", "closed/loose.txt"}
    assert tree.names("closed") == ("Me", "loose.txt")
    assert "other" in tree.folders


def test_links_are_followed_inside_and_told_where_they_lead_out_or_nowhere(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    me = root / "closed/Me"
    (me / "file").symlink_to("code/run.py")
    (me / "folder").symlink_to("code")
    (me / "broken").symlink_to("nowhere")
    (me / "out").symlink_to(tmp_path / "outside")
    (me / "passwd").symlink_to("/etc/passwd")
    (me / "null").symlink_to("/dev/null")
    tree = walk(root)
    assert tree.files["closed/Me/file"] == tree.files["closed/Me/folder/run.py"] == 5
    assert tree.broken_links == ("closed/Me/broken",)
    assert tree.foreign_links == ("closed/Me/null", "closed/Me/out", "closed/Me/passwd")
    assert tree.linked == ("closed/Me/folder",)
    assert ("closed/Me/folder/run.py", "run.py") not in tree.entries
    assert ("closed/Me/code/run.py", "run.py") in tree.entries


def test_a_circle_of_links_is_listed_once(root: Path) -> None:
    (root / "closed/Me/code/up").symlink_to("../..")
    (root / "closed/You/there").symlink_to("../Me")
    (root / "closed/Me/here").symlink_to("../You")
    tree = walk(root)
    assert "closed/Me/code/up" in tree.folders
    assert "closed/Me/code/up/Me/code/run.py" not in tree.files
    assert all(path.count("/") < 12 for path in tree.folders)


def test_links_that_multiply_end_at_the_limit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "LINKED_MAX", 20)
    for level in range(12):
        place = root / f"l{level}"
        place.mkdir()
        if level:
            for name in "ab":
                (place / name).symlink_to(f"../l{level - 1}")
    tree = walk(root)
    assert tree.foreign_links
    assert len(tree.linked) < 200


def test_pipes_and_folders_that_are_too_deep_are_told(root: Path) -> None:
    os.mkfifo(root / "closed/pipe")
    deep = root.joinpath(*["d"] * (DEPTH_MAX + 3))
    deep.mkdir(parents=True)
    tree = walk(root)
    assert "closed/pipe" in tree.special
    assert "/".join(["d"] * (DEPTH_MAX + 1)) in tree.special
    assert not any(path.count("/") > DEPTH_MAX for path in tree.folders)


def test_a_name_that_is_no_utf_8_is_told_in_a_form_that_can_be_stored(root: Path) -> None:
    (root / os.fsdecode(b"closed/\xff")).write_text("")
    (root / "closed/käse").write_text("")
    tree = walk(root)
    assert tree.special == ("closed/?",)
    assert "closed/käse" in tree.files
    assert "?" in tree.names("closed")
