"""A child ends with the process that holds the other end of its pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from assay.ground import files
from assay.ground.lifeline import PARENT_GONE

BUSY = """
import os, sys, time
from assay.ground import lifeline
lifeline.tie(int(sys.argv[1]))
print("tied", flush=True)
while True:
    time.sleep(0.01)
"""


def start(reading: int, *, own_group: bool) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", BUSY, str(reading)],
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[reading],
        start_new_session=own_group,
    )
    os.close(reading)
    assert child.stdout is not None
    assert child.stdout.readline() == "tied\n"
    return child


def test_a_busy_child_ends_when_the_other_end_closes() -> None:
    reading, writing = os.pipe()
    with start(reading, own_group=False) as child:
        assert child.poll() is None
        os.close(writing)
        assert child.wait(timeout=30) == PARENT_GONE


def test_the_leader_of_a_group_takes_its_group_along() -> None:
    reading, writing = os.pipe()
    with start(reading, own_group=True) as child:
        os.close(writing)
        assert child.wait(timeout=30) == -signal.SIGKILL


def test_data_on_the_pipe_is_not_its_end() -> None:
    reading, writing = os.pipe()
    with start(reading, own_group=False) as child:
        os.write(writing, b"a word")
        try:
            child.wait(timeout=0.2)
            raise AssertionError("the child ended")
        except subprocess.TimeoutExpired:
            os.close(writing)
        assert child.wait(timeout=30) == PARENT_GONE


HELD = """
import sys, time
from pathlib import Path
from assay.ground import lifeline
lifeline.tie_to_holder(Path(sys.argv[1]), 0.01)
print("tied", flush=True)
time.sleep(float(sys.argv[2]))
"""


def tied_to(folder: Path, lives_s: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HELD, str(folder), lives_s], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "tied\n"
    return child


def test_a_process_without_a_pipe_ends_when_nobody_holds_its_folder(tmp_path: Path) -> None:
    with ExitStack() as holding:
        holding.enter_context(files.held(tmp_path))
        child = tied_to(tmp_path, "300")
        assert child.poll() is None
        holding.close()
        with child:
            assert child.wait(timeout=30) == PARENT_GONE


def test_a_folder_that_nobody_holds_ties_nobody(tmp_path: Path) -> None:
    with tied_to(tmp_path, "0.3") as child:
        assert child.wait(timeout=30) == 0
