"""The runs of a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.config import Scenario
from assay.mlperf.record.result import RunResult, RunValidity, Status
from assay.report import history
from tests import fakes


def keep(folder: Path, result: RunResult) -> Path:
    folder.mkdir(parents=True)
    result.write(folder)
    return folder


def test_runs_are_listed_the_oldest_first_wherever_they_lie(tmp_path: Path) -> None:
    late = keep(tmp_path / "a", fakes.result(started_at="2026-02-01T00:00:00+00:00"))
    early = keep(tmp_path / "z" / "y" / "x", fakes.result(started_at="2026-01-01T00:00:00+00:00"))
    assert [each.folder for each in history.of(tmp_path)] == [early, late]
    assert [each.folder for each in history.of(late)] == [late]


def test_a_record_that_cannot_be_read_is_told_last_with_its_reason(tmp_path: Path) -> None:
    keep(tmp_path / "good", fakes.result())
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "result.json").write_text('{"schema_version": 99}')
    found = history.of(tmp_path)
    assert [each.folder.name for each in found] == ["good", "bad"] and "schema version 99" in found[1].problem
    assert "schema version 99" in history.table(found, tmp_path).splitlines()[-1]


def test_a_run_that_a_link_leads_to_again_is_listed_once_by_its_own_name(tmp_path: Path) -> None:
    run = keep(tmp_path / "run", fakes.result())
    (tmp_path / "latest").symlink_to(run)
    assert [each.folder for each in history.of(tmp_path)] == [run]


def test_each_scenario_has_a_row_with_its_own_outcome(tmp_path: Path) -> None:
    server = fakes.performance(scenario=Scenario.SERVER, validity=RunValidity.INVALID)
    keep(tmp_path / "run", fakes.result(fakes.performance(), fakes.accuracy(), server))
    rows = history.rows(history.of(tmp_path), tmp_path)
    assert [(row[5], row[7]) for row in rows] == [("Offline", "1 VALID, 1 inside"), ("Server", "1 INVALID")]


def test_a_run_that_did_not_end_shows_its_status(tmp_path: Path) -> None:
    made = fakes.result(status=Status.FAILED, reason="no memory")
    assert history.verdict(made) == "FAILED"
    keep(tmp_path / "run", made)
    assert "FAILED" in history.table(history.of(tmp_path), tmp_path)


def test_a_hostile_folder_name_ends_no_row(tmp_path: Path) -> None:
    keep(tmp_path / "a\nb\x1b[2J", fakes.result())
    text = history.table(history.of(tmp_path), tmp_path)
    assert len(text.splitlines()) == 2 and r"a\nb\x1b[2J" in text


def test_the_verb_filters_by_workload_and_gives_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path / "one", fakes.result())
    keep(tmp_path / "two", fakes.result(workload="mixtral-nano"))
    assert main(["history", str(tmp_path), "--workload", "mixtral-nano", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["workload"], run["outcome"]) == ("mixtral-nano", "1 VALID, 1 inside")
    assert main(["history", str(tmp_path / "none")]) == 2
    assert main(["history", str(tmp_path / "one" / "..")]) == 0
    assert "mixtral-8x7b" in capsys.readouterr().out


def test_a_folder_without_runs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["history", str(tmp_path / "empty")]) == 0
    assert "no run folder" in capsys.readouterr().out
