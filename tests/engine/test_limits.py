"""Limits of the machine: measured, kept in the store, and shown by no other machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.engine import limits
from assay.ground import settings


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> Iterator[None]:
    before = settings.home()
    settings.set_home(tmp_path / "store")
    yield
    settings.set_home(before)


def test_each_precision_and_memory_have_a_rate() -> None:
    found = limits.measure(side=64, read_bytes=1 << 16)
    assert sorted(found.gflop_per_s) == ["bfloat16", "float32", "int8"]
    assert min(*found.gflop_per_s.values(), found.read_gb_per_s) > 0


def test_what_is_kept_comes_back_on_the_same_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.kept() is None
    found = limits.Roofline(limits.platform.node(), "2026-01-01T00:00:00Z", {"int8": 9.5}, 3.5)
    limits.keep(found)
    assert limits.kept() == found
    monkeypatch.setattr(limits.platform, "node", lambda: "another")
    assert limits.kept() is None


def test_a_damaged_file_counts_as_not_measured() -> None:
    limits.keep(limits.Roofline("a", "b", {}, 1.0)).write_text("{")
    assert limits.kept() is None
