from __future__ import annotations

import os

import pytest

from assay.ground import cores


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system binds no process to processors")
def test_only_the_cores_that_this_process_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7})
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores.usable() == 3


@pytest.mark.parametrize(("count", "cores_"), [(8, 8), (None, 1)])
def test_where_nobody_can_tell_all_of_them_count(
    count: int | None, cores_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert cores.usable() == cores_
