from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from assay.mlperf.sut.child import Child, describe


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (3, "ended with exit code 3"),
        (-9, "was killed by SIGKILL (often the system out of memory)"),
        (-11, "was killed by SIGSEGV (a crash in native code)"),
        (-15, "was killed by SIGTERM"),
        (-99, "was killed by signal 99"),
    ],
)
def test_an_exit_status_reads_as_words(status: int, words: str) -> None:
    assert describe(status) == words


def test_a_dead_child_is_described_with_its_last_words_and_its_log(tmp_path: Path) -> None:
    child = Child("the reader", "json.tool", ["/no/such/file"], tmp_path / "log.txt")
    told = child.death()
    assert told.startswith("the reader ended with exit code")
    assert "/no/such/file" in told and str(tmp_path / "log.txt") in told


def test_a_child_whose_last_words_found_no_room_died_of_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child("the reader", "json.tool", ["/no/such/file"], tmp_path / "log.txt")
    child.end()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    assert ": the disk is full (log: " in child.death()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    assert "full" not in child.death()


def test_ending_a_child_ends_what_it_started_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parent_of_one.py").write_text(
        "import subprocess, sys\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(grandchild.pid, flush=True)\n"
        "grandchild.wait()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    log = tmp_path / "log.txt"
    child = Child("the child", "parent_of_one", [], log)
    deadline = time.monotonic() + 30
    while not log.read_text().endswith("\n") and time.monotonic() < deadline:
        time.sleep(0.02)
    grandchild = psutil.Process(int(log.read_text()))
    child.end()
    child.end()
    psutil.wait_procs([grandchild], timeout=10)
    assert child.exit_status() is not None
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
