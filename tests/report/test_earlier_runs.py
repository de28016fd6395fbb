"""Which earlier runs tell how much a machine's runs differ."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from assay.mlperf.record.result import RunResult, Status, SystemField
from assay.report import earlier_runs
from tests import fakes


def lay(folder: Path, made: RunResult) -> Path:
    folder.mkdir(parents=True)
    made.write(folder)
    return folder


def test_complete_runs_beside_the_compared_are_found_once_and_the_compared_are_not(tmp_path: Path) -> None:
    made = fakes.result()
    a, b = lay(tmp_path / "a", made), lay(tmp_path / "b", made)
    lay(tmp_path / "late", dataclasses.replace(made, started_at="2026-02-02"))
    lay(tmp_path / "early", dataclasses.replace(made, started_at="2026-01-01"))
    lay(tmp_path / "stopped", dataclasses.replace(made, status=Status.INTERRUPTED))
    (tmp_path / "again").symlink_to(tmp_path / "late")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")
    (tmp_path / "folder" / "result.json").mkdir(parents=True)
    found = earlier_runs.near([tmp_path, tmp_path], [a, b])
    assert [each.started_at for each in found] == ["2026-01-01", "2026-02-02"]
    assert earlier_runs.near([tmp_path / "nowhere"], []) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"round": "v4.1"},
        {"workload": "mixtral-nano"},
        {"system": {"host_processor_model_name": SystemField("another", "lscpu")}},
        {"asked": dataclasses.replace(fakes.result().asked, precision="int8")},
        {"used": None},
    ],
)
def test_a_run_of_other_work_settings_software_or_hardware_tells_nothing(changes: dict[str, object]) -> None:
    made = fakes.result()
    other = dataclasses.replace(made, **changes)  # type: ignore[arg-type]
    assert earlier_runs.like(made, [other, made]) == (made,)


def test_where_a_run_was_put_makes_no_difference(tmp_path: Path) -> None:
    made = fakes.result()
    asked = dataclasses.replace(made.asked, paths=dataclasses.replace(made.asked.paths, out=tmp_path))
    moved = dataclasses.replace(made, asked=asked, system={"operating_system": SystemField("Debian 13", "x")})
    assert earlier_runs.like(made, [moved]) == (moved,)
