"""The speed of a disk is measured over the bytes of a packed copy, and what cannot be read is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.engine import disk_rate, packed
from assay.engine.expert_stream import CHUNK_BYTES, THREADS
from assay.ground.errors import ArtifactError


def copy(checkpoint: Path, *sizes: int) -> Path:
    """A packed copy of so many layers, as far as its files go."""
    folder = checkpoint / "packed-int8-rows"
    folder.mkdir()
    (folder / packed.MANIFEST).write_text("{}")
    for layer, size in enumerate(sizes):
        packed.layer_file(folder, layer).write_bytes(bytes(size))
    return folder


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as it is said and not measured: a read of a chunk takes a tenth of a second."""
    now, read = [100.0], os.preadv

    def takes_time(*arguments: object) -> int:
        now[0] += 0.1
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "preadv", takes_time)
    monkeypatch.setattr("assay.engine.disk_rate.time.perf_counter", lambda: now[0])
    return now


def test_the_whole_of_the_middle_layer_is_read(tmp_path: Path, clock: list[float]) -> None:
    chunks, rest = 2 * THREADS, 4096
    size = chunks * CHUNK_BYTES + rest
    copy(tmp_path, 4096, size, 8192)
    assert disk_rate.measure(tmp_path) == pytest.approx(size / (0.1 * (chunks + 1)))


def test_reading_ends_when_its_time_is_over(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_rate, "MEASURE_S", 0.45)
    copy(tmp_path, 20 * CHUNK_BYTES)
    disk_rate.measure(tmp_path)
    assert clock[0] - 100.0 <= 0.45 + 0.1 * THREADS


def test_a_disk_that_gives_nothing_has_the_least_rate(tmp_path: Path) -> None:
    copy(tmp_path, 0)
    assert disk_rate.measure(tmp_path) == disk_rate.LEAST_BYTES_PER_S


def test_without_a_copy_the_command_that_makes_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "packed-int8-rows").mkdir()
    with pytest.raises(ArtifactError, match="no packed copy to measure its disk with") as refused:
        disk_rate.measure(tmp_path)
    assert "assay model pack" in refused.value.hint


def test_a_copy_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise OSError(5, "Input/output error")

    folder = copy(tmp_path, 4096)
    monkeypatch.setattr(os, "preadv", fails)
    with pytest.raises(ArtifactError, match=r"cannot read .*layer-000.*Input/output error"):
        disk_rate.measure(tmp_path)
    assert folder.is_dir()
