"""The driver that asks sympy whether expressions are 0, run here without walls. Source: prm800k's grader."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import assay

mpmath, sympy = pytest.importorskip("mpmath"), pytest.importorskip("sympy")
DRIVER = Path(assay.__file__).parents[1] / "assay/mlperf/scoring/programs/inside/sympy_driver.py"
SECRET = bytes(range(32))


def driver(question: bytes) -> subprocess.CompletedProcess[bytes]:
    folders = [str(Path(module.__file__).parent) for module in (sympy, mpmath)]
    argv = [sys.executable, "-I", "-S", str(DRIVER), *folders]
    return subprocess.run(argv, input=SECRET + question, capture_output=True, timeout=120, check=False)


def test_expressions_that_are_all_0_are_told_by_the_secret() -> None:
    zeros = ["(x+1)^2-(x^2+2x+1)", "2sin(x)cos(x)-sin(2x)", "sqrt(8)-2sqrt(2)", "1/2-0.5"]
    done = driver(json.dumps(zeros).encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, SECRET, b"")


@pytest.mark.parametrize("question", [b'["1-1", "(2x)-(x)"]', '["käse )("]'.encode()], ids=repr)
def test_anything_else_is_told_by_nothing(question: bytes) -> None:
    assert driver(question).stdout == b""
