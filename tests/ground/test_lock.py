from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.ground import lock

ADD_ONE = """
import pathlib, sys
from assay.ground import lock
target = pathlib.Path(sys.argv[1])
for _ in range(20):
    with lock.held(target):
        target.write_text(str(int(target.read_text()) + 1))
"""


def test_a_lock_file_lies_beside_the_target_while_it_is_held(tmp_path: Path) -> None:
    target = tmp_path / "here" / "model"
    with lock.held(target):
        assert [path.name for path in target.parent.iterdir()] == [".model.lock"]
    assert list(target.parent.iterdir()) == []


def test_a_lock_is_freed_by_an_error_too(tmp_path: Path) -> None:
    target = tmp_path / "here" / "model"
    with pytest.raises(KeyError), lock.held(target):
        raise KeyError
    with lock.held(target):
        pass
    assert list(target.parent.iterdir()) == []


def test_processes_that_count_together_lose_no_count(tmp_path: Path) -> None:
    target = tmp_path / "count"
    target.write_text("0")
    command = [sys.executable, "-c", ADD_ONE, str(target)]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        assert process.wait(timeout=60) == 0
    assert target.read_text() == "60"


def test_threads_that_count_together_lose_no_count(tmp_path: Path) -> None:
    target = tmp_path / "count"
    target.write_text("0")

    def add(_: int) -> None:
        with lock.held(target):
            target.write_text(str(int(target.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(100)))
    assert target.read_text() == "100"


def test_what_a_dead_holder_left_is_no_lock(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / ".x.lock").write_text("")
    with lock.held(place / "x"):
        pass
    assert list(place.iterdir()) == []


def test_a_handle_names_its_file_until_the_name_goes_to_another(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("")
    handle = os.open(path, os.O_RDONLY)
    try:
        assert lock.is_named(handle, path)
        path.unlink()
        assert not lock.is_named(handle, path)
        path.write_text("")
        assert not lock.is_named(handle, path)
    finally:
        os.close(handle)
