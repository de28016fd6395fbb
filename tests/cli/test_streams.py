"""Whoever reads a command's output may leave: the work and its exit code stay what they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def ended(args: list[str], *, deaf: str, **environ: str) -> int:
    """Exit code of `assay ARGS` with nobody at the reading end of `deaf`, stdout or stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, deaf: writing}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "assay", *args], env={**os.environ, **environ}, check=False, **streams
        )
    finally:
        os.close(writing)
    said = (done.stdout or b"") + (done.stderr or b"")
    assert b"Traceback" not in said and b"bug" not in said, said
    return done.returncode


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--help"], 0),
        (["version"], 0),
        (["bench", "--help"], 0),
        (["rules", "mixtral-8x7b"], 0),
        (["check", "EMPTY"], 1),
        (["bnech"], 2),
    ],
)
def test_the_exit_code_is_that_of_the_work_when_the_reader_of_stdout_has_left(
    args: list[str], code: int, unbuffered: str, tmp_path: Path
) -> None:
    (tmp_path / "closed" / "me").mkdir(parents=True)
    asked = [str(tmp_path) if word == "EMPTY" else word for word in args]
    assert ended(asked, deaf="stdout", PYTHONUNBUFFERED=unbuffered) == code


@pytest.mark.parametrize(("args", "code"), [(["bnech"], 2), (["audit", "/no/such/file"], 2)])
def test_an_error_that_nobody_reads_keeps_its_exit_code(args: list[str], code: int) -> None:
    assert ended(args, deaf="stderr") == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize(("args", "code"), [(["bnech"], 2), (["list"], 0)])
def test_a_full_disk_under_stderr_leaves_the_exit_code_as_it_is(args: list[str], code: int) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "assay", *args], stdout=subprocess.DEVNULL, stderr=full, check=False
        )
    assert done.returncode == code


@pytest.mark.usefixtures("loadgen")
def test_a_benchmark_goes_on_when_the_reader_of_its_progress_has_left(tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = ["bench", "--sut", "echo", "--mode", "performance", "--samples", "12", "--out", str(out)]
    assert ended(asked, deaf="stderr") == 0
    assert '"COMPLETE"' in (out / "result.json").read_text()
