"""The driver that runs one program and proves that it came to its end. Source: mxeval's execution of Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import assay

DRIVER = Path(assay.__file__).parents[1] / "assay/mlperf/scoring/programs/inside/python_driver.py"
SECRET = bytes(range(32))


def passes(program: str, tmp_path: Path) -> bool:
    done = subprocess.run(
        [sys.executable, "-I", str(DRIVER)],
        input=SECRET + program.encode(),
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    return done.stdout == SECRET and done.returncode == 0


@pytest.mark.parametrize(
    "program",
    [
        "",
        "x = 1",
        "def f():\n    return 2\nassert f() == 2",
        "print('loud', flush=True)",
        "import os\nassert os.getcwd is None",
        "# käse",
    ],
)
def test_a_program_that_comes_to_its_end_has_passed(program: str, tmp_path: Path) -> None:
    assert passes(program, tmp_path)


@pytest.mark.parametrize(
    "program",
    [
        "assert 1 == 2",
        "raise SystemExit(0)",
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "def f(:",
        "import os\nos.system('true')",
        "input()",
        "exit(0)",
        "import resource",
        "raise KeyboardInterrupt",
        "print('pass')\nraise ValueError",
        "assert __name__ == '__main__'",
    ],
)
def test_a_program_that_does_not_has_failed(program: str, tmp_path: Path) -> None:
    assert not passes(program, tmp_path)


def test_a_program_cannot_read_the_secret_or_its_own_text_again(tmp_path: Path) -> None:
    reads = "import os\nos.write(1, os.read(0, 1000))\nraise SystemExit"
    assert not passes(reads, tmp_path)


def test_files_that_a_program_opens_are_not_number_0(tmp_path: Path) -> None:
    assert passes("assert open('x', 'w').fileno() > 2", tmp_path)
