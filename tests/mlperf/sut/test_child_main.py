"""A child process knows its parent's settings, and does not outlive it, whatever it is busy with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from assay.ground import settings
from assay.mlperf.sut.host import start_child

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
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
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
