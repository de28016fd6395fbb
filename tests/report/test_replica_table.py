"""Replicas side by side, wherever a run is shown."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from assay.mlperf.record.result import RunResult
from assay.report import page, readme, replica_table, summary
from assay.report.page import Shown
from tests import fakes


def row(rank: int, **more: Any) -> dict[str, Any]:
    made = {
        "rank": rank,
        "node": "n|0",
        "answers": 150,
        "tokens_per_s": 812.5,
        "most_open": 128,
        "load_s": 3.25,
    }
    return {**made, "gone": "", **more}


def told(**details: Any) -> RunResult:
    made = fakes.result()
    assert made.used is not None
    return dataclasses.replace(made, used=dataclasses.replace(made.used, details=details))


NODES = {"n|0": {"system": {"kernel": "<6>"}, "clock": {"ahead_ms": -0.25, "within_ms": 0.5}}}
RUNS = [[row(0), row(1)], [row(0), row(1, gone="killed by SIGKILL")]]


def test_each_replica_of_each_run_is_a_row() -> None:
    found = replica_table.rows(told(runs=RUNS, nodes={**NODES, "n/0": 3}))
    assert len(found) == 4
    assert found[0] == ("1", "0", "n/0", "812.5", "150", "128", "no", "3.25 s", "-0.2 ms, within 0.5")
    assert [cells[6] for cells in found] == ["no", "no", "no", "yes"]


def test_they_stand_in_readme_terminal_and_page() -> None:
    result = told(runs=RUNS, nodes=NODES)
    text = readme.render(result)
    assert text.count("| n/0 | 812.5 |") == 4 and "| 2 | 1 | n/0 |" in text
    shown = summary.render(result)
    assert shown.count("812.5") == 2, "the last run alone"
    made = page.render([Shown(result, None)])
    assert "<h2>Replicas</h2>" in made and "&lt;6&gt;" in made and "system description of n|0" in made


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"runs": 3},
        {"runs": [3], "nodes": []},
        {"runs": [[3]]},
        {"runs": [[{"node": "a"}]]},
        {"runs": [[]]},
    ],
)
def test_a_record_without_replicas_has_no_table(details: dict[str, Any]) -> None:
    result = told(**details)
    assert replica_table.rows(result) == [] and replica_table.replica_section(result) is None
    assert "Replicas" not in readme.render(result) and "replicas" not in summary.render(result)


def test_what_an_older_record_does_not_tell_is_not_known() -> None:
    ((*_, load_s, clock),) = replica_table.rows(
        told(runs=[[{"rank": 0, "gone": None}]], nodes={"": {"clock": 1}})
    )
    assert (load_s, clock) == ("not known", "not known")


def test_the_terminal_shows_a_screen_of_many_replicas() -> None:
    lines = list(replica_table.replica_lines(told(runs=[[row(rank) for rank in range(40)]], nodes=NODES)))
    assert len(lines) == 1 + replica_table.MOST_LINES + 1 and lines[-1] == "and 24 more: README.md"
