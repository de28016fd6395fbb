"""A child process knows its parent's settings, and does not outlive it, whatever it is busy with."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

import assay
from assay.ground import settings
from assay.mlperf.sut.host import start_child

CHILD_MAIN = Path(assay.__file__).parents[1] / "assay/mlperf/sut/child_main.py"
BUSY = """
import subprocess, sys, time
def main(control, *arguments):
    below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])  # as a compiler would be
    print(below.pid, flush=True)
    time.sleep(60)
"""
PARENT = """
import pathlib, sys, time
from assay.mlperf.sut.host import start_child
child, control = start_child("the child", "busy", pathlib.Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_of_a_killed_process_ends_with_what_it_started(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(BUSY)
    log = tmp_path / "log"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(log)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(CHILD_MAIN.parents[3])))},
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    family = [psutil.Process(int(parent.stdout.readline()))]
    deadline = time.monotonic() + 30
    while not (log.exists() and log.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.02)
    family.append(psutil.Process(int(log.read_text())))
    parent.kill()
    parent.communicate()
    psutil.wait_procs(family, timeout=10)
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []


def test_a_child_has_the_settings_of_its_parent_and_not_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "teller.py").write_text(
        "from assay.ground import settings\n"
        "def main(control, *arguments):\n    control.send((settings.home(), arguments))\n    return 0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "another"))
    settings.set_home(tmp_path / "store")
    child, control = start_child("the child", "teller", tmp_path / "log", ["a", "b"])
    try:
        assert control.recv() == (tmp_path / "store", ("a", "b"))
        assert child.wait(10) == 0
    finally:
        child.end()
        control.close()


@contextmanager
def started(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], Connection]]:
    """A child as `host.start_child` starts it, and our end of its control connection; ended with the block."""
    ours, theirs = socket.socketpair()
    child = subprocess.Popen(
        [sys.executable, str(CHILD_MAIN), str(theirs.fileno()), *words],
        pass_fds=[theirs.fileno()],
        env={**os.environ, "PYTHONPATH": str(CHILD_MAIN.parents[3])},
        stderr=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,
        text=True,
    )
    theirs.close()
    with child, Connection(ours.detach()) as control:
        try:
            yield child, control
        finally:
            child.kill()


@pytest.mark.parametrize("code", [0, 7])
def test_a_childs_exit_code_is_that_of_its_module_found_on_the_path_that_it_is_told(
    tmp_path: Path, code: int
) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/worker.py").write_text(
        "import sys\ndef main(control, *words):\n    control.send((words, sys.path))\n"
        "    return int(control.recv())\n"
    )
    path = [str(tmp_path / "inside"), *sys.path]
    with started(tmp_path, "worker", "one", "two") as (child, control):
        control.send((path, settings.current()))
        assert control.recv() == (("one", "two"), path)
        control.send(code)
        assert child.wait(30) == code


def test_a_child_ends_when_the_other_end_closes_before_it_has_heard_anything(tmp_path: Path) -> None:
    with started(tmp_path, "worker") as (child, control):
        control.close()
        assert child.wait(30) != 0


def test_a_module_that_is_not_there_ends_the_child_with_its_name(tmp_path: Path) -> None:
    with started(tmp_path, "no_such_worker") as (child, control):
        control.send((sys.path, settings.current()))
        assert child.stderr is not None
        assert "No module named 'no_such_worker'" in child.stderr.read()
        assert child.wait(30) == 1
