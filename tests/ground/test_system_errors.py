from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from assay.ground import system_errors


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.ENAMETOOLONG, "give another path"),
        (errno.ELOOP, "give another path"),
        (errno.ENOENT, "give another path"),
        (errno.ENOTDIR, "give another path"),
        (errno.EISDIR, "give another path"),
        (errno.EMFILE, "close other programs, or raise the limit (ulimit -a)"),
        (errno.EAGAIN, "close other programs, or raise the limit (ulimit -a)"),
        (errno.ENOMEM, "free some memory, or ask for less"),
        (errno.EACCES, "check the folder and its permissions"),
        (errno.EIO, "check the folder and its permissions"),
        (None, "check the folder and its permissions"),
    ],
)
def test_what_to_try_depends_on_what_the_system_refused(code: int | None, hint: str) -> None:
    error = OSError(code, "refused") if code is not None else OSError("refused")
    assert system_errors.hint(error) == hint


@pytest.mark.parametrize("name", ["/a/b", b"/a/b", Path("/a/b")])
def test_the_name_stands_before_what_was_said(name: str | bytes | Path) -> None:
    problem = system_errors.problem(OSError(errno.EACCES, "Permission denied", name))
    assert problem.message == "/a/b: Permission denied"
    assert problem.exit_code == 3


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EPIPE, "Broken pipe"), "Broken pipe"),
        (OSError("a word alone"), "a word alone"),
        (TimeoutError(), "TimeoutError"),
        (OSError(errno.EBADF, "Bad file descriptor", 7), "Bad file descriptor"),
    ],
)
def test_an_error_without_a_name_is_told_by_what_is_known(error: OSError, message: str) -> None:
    assert system_errors.problem(error).message == message


def test_a_working_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    place.rmdir()
    with pytest.raises(FileNotFoundError) as caught:
        os.getcwd()  # noqa: PTH109
    problem = system_errors.problem(caught.value)
    assert (problem.message, problem.hint) == (
        "the working folder is gone",
        "change to a folder that is there",
    )


def test_a_missing_file_in_a_folder_that_is_there_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "absent").read_text()
    assert system_errors.problem(caught.value).message == f"{tmp_path / 'absent'}: No such file or directory"
