"""The portable kernels on Arm, which QEMU emulates: products, norm, and what they say they were compiled for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from assay.engine.ops.cpu import build

LIMITS = {"bfloat16": 1e-5, "int8": 0.0, "norm": 2**-8}
"""Part of the largest value; of each value for norm, which is rounded to bfloat16"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("march", "said"),
    [
        ("armv8-a", "NEON"),
        ("armv8.2-a+dotprod", "NEON, dotprod"),
        ("armv8.6-a+i8mm+bf16", "NEON, dotprod"),
    ],
)
def test_kernels_on_arm_are_those_of_plain_sums(march: str, said: str, tmp_path: Path) -> None:
    tools = ("aarch64-linux-gnu-g++", "qemu-aarch64")
    if lacking := [tool for tool in tools if shutil.which(tool) is None]:
        pytest.skip(f"no {', '.join(lacking)}")
    program, driver = tmp_path / "driver", Path(__file__).with_name("other_processor.cpp")
    sources = [driver, *sorted(build.SOURCES.glob("*.cpp"))]
    flags = ["-static", "-std=c++17", "-O2", f"-march={march}", "-fopenmp", f"-I{build.SOURCES}"]
    subprocess.run([tools[0], *flags, *sources, "-o", program], check=True)
    done = subprocess.run([tools[1], "-cpu", "max", program], check=True, capture_output=True, text=True)
    *errors, last = done.stdout.splitlines()
    assert last == f"for {said}"
    assert len(errors) == 49
    for line in errors:
        what, error = line.split()[:2]
        assert float(error) <= LIMITS[what], line
