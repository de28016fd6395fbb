from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay import suts
from assay.ground import packages
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.ground.packages import guarded
from assay.mlperf import workloads


def refuses(*_: Any) -> Any:
    raise ConfigError("no such voice", "--voice low")


def test_a_result_passes_and_an_error_of_assay_stays_what_it_is() -> None:
    assert guarded("f of SUT 's'", "p", lambda a, b: a + b)(1, 2) == 3
    with pytest.raises(ConfigError, match="no such voice"):
        guarded("f", "p", refuses)()


def test_a_fault_names_package_function_and_the_line_of_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """json.loads raises, and the line that called it is told."""
    (tmp_path / "loose.py").write_text("import json\n\ndef read(text):\n    return json.loads(text)\n")
    monkeypatch.syspath_prepend(tmp_path)
    read = importlib.import_module("loose").read
    with pytest.raises(EnvironmentProblem) as error:
        guarded("read of workload 'w'", "looseness", read)("{")
    assert error.value.message.startswith(
        "read of workload 'w' in package looseness raised JSONDecodeError: "
    )
    assert error.value.message.endswith(" (loose.py, line 4)")


def test_what_is_no_right_value_is_told_like_a_fault() -> None:
    def even(number: int) -> int:
        if number % 2:
            raise TypeError(f"it gave {number}")
        return number

    half = guarded("half", "p", lambda number: number // 2, even)
    assert half(8) == 4
    with pytest.raises(EnvironmentProblem, match="half in package p raised TypeError: it gave 3"):
        half(6)


def test_entry_points_of_a_group_that_is_none_of_assays_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (suts.GROUP, workloads.GROUP) == packages.GROUPS
    assert packages.misnamed() == ""
    points = EntryPoints([EntryPoint("brief", "brief:WORKLOAD", "assay.workload")])
    monkeypatch.setattr(packages, "entry_points", lambda **asked: points.select(**asked))
    with pytest.raises(ConfigError) as caught:
        workloads.get("brief")
    assert "entry points of assay.workload, and the groups are assay.suts and" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        suts.kind("brief")
    assert "assay.workload, " in caught.value.hint


def test_entries_that_fail_or_are_taken_are_kept_as_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("good", "own", "torn")
    points = [SimpleNamespace(name=name, dist=SimpleNamespace(name=f"{name}-pkg")) for name in names]
    monkeypatch.setattr(packages, "entry_points", lambda group: points)

    def load(point: EntryPoint) -> str:
        if point.name == "torn":
            raise SystemExit(3)
        return point.name.upper()

    made = packages.entries("g", "thing", load, ["own"])
    assert made.found == {"good": "GOOD"}
    assert [each.problem for each in made.broken] == [
        "thing 'own' of package own-pkg cannot be used: there is another thing own",
        "thing 'torn' of package torn-pkg cannot be used: SystemExit: 3",
    ]
