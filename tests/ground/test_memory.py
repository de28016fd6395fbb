"""Limits of control groups, on trees of files as Linux shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from assay.ground import memory

GIB = 1 << 30
V1 = {"memory.limit_in_bytes": 4 * GIB, "memory.usage_in_bytes": 3 * GIB}
V2 = {"memory.max": 4 * GIB, "memory.current": 3 * GIB}
STAT = {"memory.stat": "anon 7\nactive_file 1073741824\ninactive_file 536870912"}
STAT_V1 = {"memory.stat": "rss 7\ntotal_active_file 0\ntotal_inactive_file 536870912"}


@pytest.mark.parametrize(
    ("of_process", "groups", "total", "available"),
    [
        ("0::/job/step\n", {"job/step": V2 | STAT}, 4, 2.5),
        ("0::/job/step\n", {"job": V2 | STAT, "job/step": V2 | STAT | {"memory.max": "max"}}, 4, 2.5),
        ("0::/job/step\n", {"job": V2 | STAT, "job/step": V2 | STAT | {"memory.max": 6 * GIB}}, 4, 2.5),
        ("0::/\n", {"": V2 | STAT}, 4, 2.5),
        ("0::/host/path\n", {"": V2 | STAT}, 4, 2.5),  # a container that sees its own group as the root
        ("0::/full\n", {"full": V2 | STAT | {"memory.current": 9 * GIB}}, 4, 0),
        ("9:cpu:/a\n4:memory:/job\n0::/\n", {"memory/job": V1 | STAT_V1}, 4, 1.5),
        ("4:cpu,memory:/docker/7f\n", {"memory": V1 | STAT_V1}, 4, 1.5),
        (
            "4:memory:/job\n",
            {"memory/job": V1 | STAT_V1 | {"memory.limit_in_bytes": (1 << 63) - 4096}},
            64,
            48,
        ),
        ("0::/job\n", {"job": V2}, 64, 48),  # without memory.stat nothing is known
        ("0::/job\n", {"job": V2 | STAT | {"memory.current": "?"}}, 64, 48),
        ("0::/\n", {}, 64, 48),
        (None, {}, 64, 48),
    ],
)
def test_the_least_limit_of_all_groups_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_process: str | None,
    groups: Mapping[str, Mapping[str, object]],
    total: float,
    available: float,
) -> None:
    if of_process is not None:
        (tmp_path / "cgroup").write_text(of_process)
    for path, files in groups.items():
        (tmp_path / "fs" / path).mkdir(parents=True, exist_ok=True)
        for name, value in files.items():
            (tmp_path / "fs" / path / name).write_text(f"{value}\n")
    monkeypatch.setattr(memory, "ROOT", tmp_path / "fs")
    monkeypatch.setattr(memory, "OF_PROCESS", tmp_path / "cgroup")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=64 * GIB, available=48 * GIB))
    assert (memory.total() / GIB, memory.available() / GIB) == (total, available)
