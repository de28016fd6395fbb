"""Rows and definitions of a load."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.bench import load_rows
from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.endpoint.load.timing import LoadedRequest
from assay.mlperf.data.sample import Sample
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests

MS = 1_000_000
SAMPLES = [Sample(index, str(index), "ab"[index], "", (1, 2, 3), "", (), ()) for index in (0, 1)]
GOOD = LoadedRequest(0, 1, 0, 2 * MS, ((12 * MS, 3), (22 * MS, 2)), 22 * MS, 3, 1, "http://a:1")
BAD = LoadedRequest(
    1, 0, 5 * MS, 5 * MS, (), 9 * MS, None, None, "", EndpointFailure(FailureKind.BUSY, "HTTP 429")
)


def test_a_row_has_the_columns_of_other_runs_and_the_chunks() -> None:
    rows = load_rows.table("concurrency 2", [GOOD, BAD], SAMPLES).to_pylist()
    assert rows[0] == {
        "scenario": "concurrency 2", "mode": "load", "query": 0, "sample_index": 1, "subset": "b",
        "prompt_tokens": 3, "answer_tokens": 5, "scheduled_ns": 0, "issued_ns": 2 * MS,
        "first_token_ns": 12 * MS, "end_ns": 22 * MS, "endpoint": "http://a:1", "status": "answered",
        "verdict": None, "chunks": 2, "first_chunk_tokens": 3, "cached_tokens": 1, "failure": None,
    }  # fmt: skip
    assert (rows[1]["status"], rows[1]["failure"], rows[1]["first_token_ns"]) == ("BUSY", "HTTP 429", None)
    assert (rows[1]["subset"], rows[1]["endpoint"], rows[1]["answer_tokens"]) == ("a", None, 0)


def test_levels_stand_in_one_file_and_one_that_was_made_again_stands_once(tmp_path: Path) -> None:
    for label, rows in (("a", [GOOD]), ("b", [GOOD, BAD]), ("a", [BAD, BAD])):
        load_rows.append(tmp_path, load_rows.table(label, rows, SAMPLES))
    found = requests.read(RunFolder(tmp_path).requests)["scenario"].to_pylist()
    assert found == ["b", "b", "a", "a"]


def test_the_tools_tell_one_level_in_their_own_ways() -> None:
    told = load_rows.sheet([GOOD, BAD])
    assert told["LoadGen"]["TTFT"] == pytest.approx(12) and told["AIPerf"]["TTFT"] == pytest.approx(10)
    assert told["vllm bench serve"]["TPOT"] == pytest.approx(10 / 4)
    assert told["MLPerf Endpoints"]["TPOT"] == pytest.approx(10 / 2)
    assert load_rows.sheet([BAD]) == {}
