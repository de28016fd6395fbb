from __future__ import annotations

import gc
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from assay.endpoint.clients import process
from assay.ground import lifeline

WORKER = "assay.endpoint.clients.worker"


def test_a_process_ends_once_its_connection_is_closed() -> None:
    started, connection = process.start(WORKER)
    connection.close()
    process.end(started)
    assert started.poll() is not None


def test_client_processes_end_with_the_one_that_started_them() -> None:
    lines = [
        "import sys, time",
        "from assay.endpoint.clients import process",
        f"popen, connection = process.start({WORKER!r})",
        "print(popen.pid, flush=True)",
        "time.sleep(60)",
    ]
    parent = subprocess.Popen([sys.executable, "-c", "\n".join(lines)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 30
    while _state(child) != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_collector_looks_seldom_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    module = types.ModuleType("a_client")
    module.main = lambda descriptor, *more: seen.extend((descriptor, more, gc.get_threshold()[0]))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_client", module)
    monkeypatch.setattr(lifeline, "tie", lambda descriptor: seen.append(descriptor))
    before = gc.get_threshold()
    try:
        process.begin("7", "a_client", "more")
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
    assert seen == [7, 7, ("more",), process.GARBAGE]


def _state(pid: int) -> str:
    """As proc(5) has it; Z where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
