"""The part of a benchmark inside a container: `python -m assay.cli.contained`, started as a container starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.bench import contained
from assay.mlperf.record import result
from tests.bench import echo_job


def asked(folder: Path, **texts: str) -> str:
    """What the benchmark outside hands in, with the run folder that it has made."""
    folder.mkdir(exist_ok=True)
    return contained.serialised(echo_job.request(folder, **texts).config)


def inside(text: str, home: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", contained.MODULE, text],
        env={**os.environ, "ASSAY_HOME": home},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its end, with stdin held open meanwhile, as the benchmark outside holds it."""
    assert child.stdout is not None and child.stderr is not None and child.stdin is not None
    with child:
        out, err = child.stdout.read(), child.stderr.read()
        child.stdin.close()
    return child.returncode, out, err


def test_the_module_that_is_started_is_this_one() -> None:
    assert contained.MODULE == "assay.cli.contained"


def test_an_error_is_one_line_of_the_log_and_the_exit_code(tmp_path: Path) -> None:
    missing = tmp_path / "none.parquet"
    code, out, err = ended(
        inside(asked(tmp_path / "run", paths__dataset=str(missing)), str(tmp_path / "home"))
    )
    assert code == 3, (out, err)
    assert any(line.startswith("assay: ") and str(missing) in line for line in out.splitlines())
    assert "Traceback" not in out + err


def test_it_ends_when_the_benchmark_outside_does(tmp_path: Path) -> None:
    with inside(asked(tmp_path / "run"), str(tmp_path / "home")) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=120) != 0


@pytest.mark.slow
@pytest.mark.usefixtures("loadgen")
def test_a_job_is_measured_and_not_scored(tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "run"
    code, out, err = ended(inside(asked(folder), str(store)))
    assert code == 0, (out, err)
    made = result.read(folder)
    assert made.runs and all(run.scores == () for run in made.runs)
