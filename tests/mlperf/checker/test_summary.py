"""One row for each result. Source of the columns: the modular checker's summary.csv."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from assay.mlperf.checker.check import check
from assay.mlperf.checker.summary import COLUMNS, Row, table, to_csv
from assay.mlperf.rounds import round as rounds
from tests.mlperf.checker.good_tree import GoodTree


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Row, ...]:
    tree = GoodTree.make(tmp_path_factory.mktemp("good"))
    return check(tree.root, rounds.load("v5.1")).rows


def test_a_row_says_whose_result_it_is_and_what(rows: tuple[Row, ...]) -> None:
    offline, server = rows
    assert (offline.submitter, offline.platform, offline.model, offline.scenario) == (
        "Tester",
        "box",
        "mixtral-8x7b",
        "Offline",
    )
    assert (server.scenario, server.location) == ("Server", "closed/Tester/results/box/mixtral-8x7b/Server")
    assert offline.result == pytest.approx(20 * 144.84)  # 20 samples/s of v5.1's reference length
    assert (offline.units, offline.errors, offline.not_judged, offline.compliance) == (
        "Tokens/s",
        0,
        "",
        True,
    )
    assert "gsm8k: 73.7" in offline.accuracy.split("  ")
    assert not offline.inferred and not offline.has_power


def test_csv_has_a_cell_for_each_column(rows: tuple[Row, ...]) -> None:
    found = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert len(found) == 2
    assert list(found[0]) == list(COLUMNS)
    assert None not in found[0] and None not in found[0].values()
    assert (found[0]["Organization"], found[0]["Scenario"], found[0]["total_accelerators"]) == (
        "Tester",
        "Offline",
        "0",
    )
    assert (found[0]["host_processors_per_node"], found[0]["version"]) == ("1", "v5.1")


def test_quotes_and_commas_of_a_field_stay_in_its_cell(rows: tuple[Row, ...]) -> None:
    row = dataclasses.replace(rows[0], submitter='a "b", c', notes="x\ny")
    (found,) = csv.DictReader(io.StringIO(to_csv([row])))
    assert (found["Organization"], found["notes"], found["Units"]) == ('a "b", c', "x\ny", "Tokens/s")


@pytest.mark.parametrize(
    ("nodes", "each", "total"),
    [("2", "8", "16"), ("1", "0", "0"), ("one", "8", ""), ("", "", ""), ("9" * 9, "2", "")],
)
def test_all_accelerators_are_nodes_times_each(
    nodes: str, each: str, total: str, rows: tuple[Row, ...]
) -> None:
    system = {**rows[0].system, "number_of_nodes": nodes, "accelerators_per_node": each}
    (found,) = csv.DictReader(io.StringIO(to_csv([dataclasses.replace(rows[0], system=system)])))
    assert found["total_accelerators"] == total


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "no errors"),
        ({"errors": 3}, "3 errors"),
        ({"errors": 3, "not_judged": "benchmark"}, "3 errors"),
        ({"not_judged": "benchmark"}, "not judged"),
        ({"not_judged": "power"}, "no errors, power not judged"),
        ({"result": None}, "no result"),
        ({"submitter": "a\x1b[2J\nb"}, "closed/a\\x1b[2J\\nb/box"),
    ],
)
def test_a_line_of_the_table_says_how_the_result_stands(
    changes: dict[str, object], words: str, rows: tuple[Row, ...]
) -> None:
    line = table([dataclasses.replace(rows[0], **changes)])  # type: ignore[arg-type]
    assert words in line and "\n" not in line
