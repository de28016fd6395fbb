from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.ground import files, settings
from assay.ground.errors import EnvironmentProblem, did_you_mean


def test_a_staged_file_is_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "a" / "out.txt"
    with pytest.raises(RuntimeError), files.staged(target) as part:
        part.write_text("half")
        raise RuntimeError
    assert list(target.parent.iterdir()) == []


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    files.write_text(target, "old")
    with pytest.raises(RuntimeError), files.staged(target) as part:
        part.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"


def test_the_next_writer_removes_what_a_killed_one_left_beside_the_same_file(tmp_path: Path) -> None:
    target = tmp_path / "here" / "out*.txt"
    code = (
        "import os, sys, pathlib\nfrom assay.ground import files\n"
        "with files.staged(pathlib.Path(sys.argv[1])) as part:\n"
        "  part.unlink(); part.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert len(list(target.parent.iterdir())) == 1
    files.write_text(target, "whole")
    assert list(target.parent.iterdir()) == [target]


def test_two_who_write_the_same_file_leave_each_other_alone(tmp_path: Path) -> None:
    target = tmp_path / "here" / "out.txt"
    with files.staged(target) as part:
        part.unlink()  # as a compiler does
        part.write_text("first")
        files.write_text(target, "second")
    assert target.read_text() == "first"
    assert list(target.parent.iterdir()) == [target]


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="disk full"), files.staged(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_json_refuses_what_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nan"):
        files.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_the_nearest_name_is_offered_else_all_of_them() -> None:
    assert did_you_mean("offlin", ["offline", "server"]) == "did you mean offline?"
    assert did_you_mean("zzz", ["offline", "server"]) == "one of: offline, server"
    assert did_you_mean("zzz", ["P10", "P2", "X1", "P1"]) == "one of: P1, P2, P10, X1"


def test_a_store_that_cannot_be_written_names_the_variable_that_moves_it(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "store")
    refused = PermissionError(errno.EACCES, "Permission denied")
    assert "set ASSAY_HOME" in files.as_problem(refused, settings.home() / "kernels" / "a.so").hint
    assert "ASSAY_HOME" not in files.as_problem(refused, tmp_path / "run" / "result.json").hint


def test_the_digest_of_several_files_is_that_of_their_lines(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"abc")
    second.write_bytes(b"")
    abc, empty = (hashlib.sha256(content).hexdigest() for content in (b"abc", b""))
    assert files.sha256_all([first]) == files.sha256(first) == abc
    lines = f"{abc}  a\n{empty}  b\n"  # as sha256sum prints them
    assert files.sha256_all([first, second]) == hashlib.sha256(lines.encode()).hexdigest()


def test_a_folder_is_held_while_its_block_lasts(tmp_path: Path) -> None:
    assert not files.is_held(tmp_path)
    with files.held(tmp_path):
        assert files.is_held(tmp_path)
    assert not files.is_held(tmp_path)
    with pytest.raises(FileNotFoundError):
        files.is_held(tmp_path / "absent")


def test_of_two_that_hold_a_folder_the_second_learns_that_it_is_not_alone(tmp_path: Path) -> None:
    with files.held(tmp_path) as first, files.held(tmp_path) as second:
        assert first and not second
    with files.held(tmp_path) as third:
        assert third


def test_a_folder_is_held_although_somebody_looks_whether_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking = os.open(tmp_path, os.O_RDONLY)
    lock = fcntl.flock
    lock(looking, fcntl.LOCK_SH)
    asked = []

    def flock(handle: int, how: int) -> None:
        """The other has looked by the time of the third call."""
        asked.append(how)
        if len(asked) == 3:
            os.close(looking)
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with files.held(tmp_path) as is_ours:
        assert is_ours and files.is_held(tmp_path)
    exclusive, shared = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_SH | fcntl.LOCK_NB
    assert asked[:3] == [exclusive, shared, exclusive]


def test_text_that_is_none_is_written_with_its_stand_ins(tmp_path: Path) -> None:
    files.write_text(tmp_path / "x", "ä\udcff")
    assert (tmp_path / "x").read_text() == "ä\\udcff"


def test_a_pipe_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with files.staged(pipe) as part:
        part.write_text("figures")
    assert os.read(reader, 100) == b"figures"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_full_device_is_a_full_disk_and_stays_a_device() -> None:
    with pytest.raises(EnvironmentProblem), files.staged(Path("/dev/full")) as part:
        part.write_text("figures")
    assert Path("/dev/full").is_char_device()
