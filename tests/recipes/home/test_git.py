"""git as Assay runs it: what it prints, how it fails, and that it ends with the process that runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import psutil
import pytest

from assay.recipes.errors import RecipeFault
from assay.recipes.home.git import run_git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
WAITS = """
from assay.recipes.home.git import run_git
run_git(["-c", "alias.wait=!sleep 300", "wait"])
"""


def test_what_git_prints_comes_back_and_its_last_words_are_the_error() -> None:
    assert run_git(["version"]).startswith("git version")
    with pytest.raises(RecipeFault, match=r"git no-such failed: .*not a git command"):
        run_git(["no-such"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has ended")
def test_git_ends_when_the_process_that_runs_it_is_killed() -> None:
    runs = psutil.Popen([sys.executable, "-c", WAITS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started = time.monotonic()
    while not (found := [p for p in runs.children() if p.name().startswith("git")]):
        assert time.monotonic() - started < 60 and runs.is_running()
        time.sleep(0.05)
    below = found[0].children(recursive=True)
    runs.kill()
    runs.wait()
    gone, alive = psutil.wait_procs(found, timeout=30)
    for process in below:
        if process.is_running():
            process.kill()
    assert alive == [] and len(gone) == 1
