from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from assay.ground import folders


def filled(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_a_workshop_lies_beside_its_target_and_is_gone_afterwards(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "tree"
    with folders.workshop(target) as shop:
        assert shop.parent == target.parent
        assert shop.name.startswith(".tree.")
    assert list(target.parent.iterdir()) == []


def test_an_error_in_a_workshop_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    target = filled(tmp_path / "place" / "tree", old="1")
    with pytest.raises(RuntimeError), folders.workshop(target) as shop:
        filled(shop / "made", new="2")
        raise RuntimeError
    assert contents(target) == {"old": "1"}
    assert list(target.parent.iterdir()) == [target]


def test_two_workshops_beside_one_target_are_open_one_after_the_other(tmp_path: Path) -> None:
    story: list[str] = []

    def work(name: str) -> None:
        with folders.workshop(tmp_path / "tree"):
            story.append(name)
            sleep(0.02)
            story.append(name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, "abc"))
    assert [first == second for first, second in zip(story[::2], story[1::2])] == [True] * 3


def test_a_made_folder_takes_a_free_place(tmp_path: Path) -> None:
    made = filled(tmp_path / "made", new="2")
    folders.put(made, tmp_path / "tree")
    assert contents(tmp_path / "tree") == {"new": "2"}
    assert not made.exists()


def test_a_made_folder_takes_the_place_of_another_and_leaves_the_old_one_where_it_was_made(
    tmp_path: Path,
) -> None:
    target = filled(tmp_path / "tree", old="1")
    made = filled(tmp_path / "made", new="2")
    folders.put(made, target)
    assert contents(target) == {"new": "2"}
    assert contents(made) == {"old": "1"}


def test_where_the_system_cannot_exchange_two_renames_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_exchange", lambda first, second: False)
    target = filled(tmp_path / "tree", old="1")
    folders.put(filled(tmp_path / "shop" / "made", new="2"), target)
    assert contents(target) == {"new": "2"}
    assert contents(tmp_path / "shop" / "before") == {"old": "1"}


def test_a_copy_shares_its_files_and_keeps_links_as_links(tmp_path: Path) -> None:
    source = filled(tmp_path / "tree", file="1")
    (source / "sub").mkdir()
    (source / "sub" / "deep").write_text("2")
    (source / "link").symlink_to("absent")
    folders.copied(source, tmp_path / "copy")
    assert (source / "file").samefile(tmp_path / "copy" / "file")
    assert (tmp_path / "copy" / "sub" / "deep").read_text() == "2"
    assert (tmp_path / "copy" / "link").readlink() == Path("absent")


def test_where_files_cannot_be_linked_they_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: object, **options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    source = filled(tmp_path / "tree", file="1")
    folders.copied(source, tmp_path / "copy")
    assert contents(tmp_path / "copy") == {"file": "1"}
    assert not (source / "file").samefile(tmp_path / "copy" / "file")
