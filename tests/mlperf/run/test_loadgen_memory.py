"""What a LoadGen process needs of the machine's memory."""

from __future__ import annotations

import fcntl
from pathlib import Path

import psutil
import pytest

from assay.ground import settings
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.rounds.round import Wheel
from assay.mlperf.run import loadgen_memory


def test_loadgen_4_needs_memory_for_the_square_of_the_samples() -> None:
    old, new = Wheel("4.1.30", {}, 10600), Wheel("6.0.3", {}, 25)
    assert loadgen_memory.needed_mb(old, 15_000, 15_000) == pytest.approx(10_600, rel=0.01)
    assert loadgen_memory.needed_mb(old, 30, 30) < 50
    assert loadgen_memory.needed_mb(new, 15_000, 15_000) < 50


def test_a_run_that_needs_more_memory_than_is_free_is_refused_with_both_numbers() -> None:
    free_mb = psutil.virtual_memory().total / 1e6
    words = r"LoadGen needs [\d.]+ GB of memory and [\d.]+ [GM]B are free"
    with pytest.raises(EnvironmentProblem, match=words), loadgen_memory.reserved(free_mb + 1, "LoadGen"):
        pytest.fail("the block ran")


def test_two_large_runs_exclude_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loadgen_memory, "LARGE_MB", 1)
    settings.set_home(tmp_path)
    mark = tmp_path / "loadgen" / ".large.lock"
    with loadgen_memory.reserved(2, "LoadGen"), mark.open() as handle, pytest.raises(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not mark.exists()
