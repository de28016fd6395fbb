"""`assay history`: the runs below a folder, as a table, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import history
from assay.ground.errors import ConfigError
from tests import fakes
from tests.cli.words import parsed


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs, of which the one with the later name began first, and a folder that cannot be read."""
    for name, day, workload in (("b", 1, "mixtral-8x7b"), ("a", 2, "llama3.1-8b")):
        (tmp_path / "all" / name).mkdir(parents=True)
        made = fakes.result(workload=workload, started_at=f"2026-01-0{day}T00:00:00+00:00")
        made.write(tmp_path / "all" / name)
    (tmp_path / "all/broken").mkdir()
    (tmp_path / "all/broken/result.json").write_text("{")
    return tmp_path / "all"


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert history.run(parsed(history, *words, "--json")) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)["runs"]
    return found


def test_runs_are_listed_the_oldest_first_with_what_they_came_to(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [run for run in listed(capsys, str(runs)) if not run["problem"]]
    assert [Path(str(run["folder"])).name for run in found] == ["b", "a"]
    assert found[0]["workload"] == "mixtral-8x7b" and found[0]["outcome"]


def test_a_record_that_cannot_be_read_is_listed_with_its_problem(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (broken,) = [run for run in listed(capsys, str(runs)) if run["problem"]]
    assert str(broken["folder"]).endswith("broken") and "outcome" not in broken


def test_one_workload_can_be_asked_for(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(capsys, str(runs), "--workload", "llama3.1-8b")
    assert {run.get("workload", "llama3.1-8b") for run in found} == {"llama3.1-8b"}


def test_the_table_and_the_page_name_every_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = runs.parent / "page.html"
    assert history.run(parsed(history, str(runs), "--html", str(page))) == 0
    out = capsys.readouterr().out
    for name in ("a", "b", "broken"):
        assert name in out and name in page.read_text()


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert history.run(parsed(history, str(tmp_path))) == 0
    assert capsys.readouterr().out == f"no run folder in {tmp_path}\n"
    assert listed(capsys, str(tmp_path)) == []


def test_the_usual_folder_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no folder assay-runs"):
        history.run(parsed(history))


def test_a_file_is_no_folder_of_runs(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(ConfigError, match="no folder"):
        history.run(parsed(history, str(tmp_path / "f")))
