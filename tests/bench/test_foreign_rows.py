"""Rows of requests.parquet from another tool's requests."""

from __future__ import annotations

from pathlib import Path

from assay.bench import foreign_rows
from assay.bench.foreign_rows import ForeignRequest
from assay.config import Mode, Scenario
from assay.mlperf.run import requests

ROWS = [ForeignRequest(100.5, 100.6, 101.0, 7, 5), ForeignRequest(100.0, 100.25, 100.75, 9, 3)]


def test_rows_stand_in_the_order_of_sending_and_count_from_the_first() -> None:
    found = foreign_rows.table(Scenario.SERVER, ROWS).to_pydict()
    assert found["issued_ns"] == [0, 500_000_000]
    assert found["first_token_ns"] == [250_000_000, 600_000_000]
    assert found["end_ns"] == [750_000_000, 1_000_000_000]
    assert (found["prompt_tokens"], found["answer_tokens"]) == ([9, 7], [3, 5])


def test_nobody_knows_when_a_request_was_planned() -> None:
    assert foreign_rows.table(Scenario.OFFLINE, ROWS)["scheduled_ns"].null_count == 2


def test_the_rows_are_a_table_of_requests_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "requests.parquet"
    requests.write(path, [foreign_rows.table(Scenario.SERVER, ROWS)])
    kept = requests.of_run(requests.read(path), Scenario.SERVER, Mode.PERFORMANCE)
    assert kept.num_rows == 2
