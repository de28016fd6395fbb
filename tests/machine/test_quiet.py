from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.machine import quiet
from assay.machine.quiet import Busy, QuietCheck


def test_a_machine_without_load_has_no_disturbances() -> None:
    assert QuietCheck(0.1, 2, "performance", ()).disturbances == ()
    assert QuietCheck(None, 2, None, ()).disturbances == ()


def test_each_disturbance_is_a_sentence_with_its_figure() -> None:
    found = QuietCheck(3.2, 2, "powersave", (Busy(7, "cc1plus", 98.6),)).disturbances
    assert found == (
        "load 3.2 on 2 cores",
        "frequency governor powersave, not performance",
        "process 7 (cc1plus) takes 99 % of a core",
    )


def test_a_process_that_computes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "BUSY_PERCENT", 0.1)
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        until = time.monotonic() + 20
        while child.pid not in {busy.pid for busy in quiet.look(0.2).busy}:
            assert time.monotonic() < until, "the busy child was never seen"
    finally:
        child.kill()
        child.wait()


def test_the_governor_is_read_where_the_kernel_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "GOVERNOR", tmp_path / "scaling_governor")
    assert quiet.look(0.0).governor is None
    (tmp_path / "scaling_governor").write_text("schedutil\n")
    assert quiet.look(0.0).governor == "schedutil"
