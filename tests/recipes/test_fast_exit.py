"""The start and the end of the process: nothing needless is imported, nothing that a hook counts on is left out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import Kit

HEAVY = {
    "dataclasses",
    "yaml",
    "argparse",
    "inspect",
    "logging",
    "json",
    "zlib",
    "copy",
    "assay.recipes.home.store",
    "assay.recipes.run.cached",
}


def test_a_small_run_imports_nothing_heavy(kit: Kit) -> None:
    """`-S`: what the packages of an environment import at its start is not ours."""
    kit.recipe("small", "def preprocess(i):\n    return {'return': 0}\n", "true\n")
    time.sleep(0.1)  # what changed a moment ago is not remembered
    line = ["-m", "assay", "run", "script", "--tags=small", "--user_python"]
    source = str(Path(__file__).parents[2] / "src")
    environ = {**os.environ, "PYTHONPATH": source, "CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0"}
    for start in ([], ["-S", "-X", "importtime"]):
        done = subprocess.run(
            [sys.executable, *start, *line], env=environ, capture_output=True, text=True, check=True
        )
    imported = {
        row.rpartition("|")[2].strip() for row in done.stderr.splitlines() if row.startswith("import time:")
    }
    assert "assay.recipes.run.runner" in imported
    assert imported & HEAVY == set()


OPEN_FILE = """left_open = open('left.txt', 'w')
def preprocess(i):
    left_open.write('written')
    return {'return': 0}
"""
AT_EXIT = """import atexit
def preprocess(i):
    atexit.register(lambda: open('left.txt', 'w').write('written'))
    return {'return': 0}
"""
THREAD = """import threading, time
def late():
    time.sleep(0.2)
    open('left.txt', 'w').write('written')
def preprocess(i):
    threading.Thread(target=late).start()
    return {'return': 0}
"""


@pytest.mark.parametrize("hooks", [OPEN_FILE, AT_EXIT, THREAD], ids=["open file", "atexit", "thread"])
def test_what_a_hook_leaves_for_the_end_of_the_process_is_done(kit: Kit, tmp_path: Path, hooks: str) -> None:
    kit.recipe("leaves", hooks)
    done = subprocess.run(
        [sys.executable, "-m", "assay", "run", "script", "--tags=leaves", "--user_python"],
        cwd=tmp_path,
        env={**os.environ, "CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "left.txt").read_text() == "written"
