"""The definitions of five tools, held against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from assay.mlperf.record.definitions import (
    Arrival,
    TokenColumns,
    TokenTimes,
    by_index,
    columns,
    interpolated,
    sheet,
)

# Scheduled at 0, sent 0.1 later; 2 tokens at 0.5, one at 0.7, two at 1.1.
ONE = TokenTimes(0.0, 0.1, (Arrival(0.5, 2), Arrival(0.7, 1), Arrival(1.1, 2)))


def test_one_request_has_the_values_of_each_tool() -> None:
    found = sheet(columns([ONE]), share=0.5)
    assert found["LoadGen"] == pytest.approx(
        {"TTFT": 500, "TPOT": 150, "tokens/s": 5 / 1.1, "requests/s": 0.0}
    )
    rates = {"tokens/s": 5.0, "requests/s": 1.0}  # from 0.1 to 1.1
    assert found["vllm bench serve"] == pytest.approx({"TTFT": 400, "TPOT": 150, "ITL": 300, **rates})
    assert found["guidellm"] == pytest.approx({"TTFT": 400, "TPOT": 200, "ITL": 150, **rates})
    assert found["AIPerf"] == pytest.approx({"TTFT": 400, "ITL": 150, **rates})
    assert found["MLPerf Endpoints"] == pytest.approx({"TTFT": 400, "TPOT": 200, **rates})


def test_an_answer_of_one_token_has_no_time_per_further_token() -> None:
    found = sheet(columns([TokenTimes(0.0, 0.0, (Arrival(1.0, 1),))]))
    assert "TPOT" not in found["LoadGen"]
    assert found["guidellm"]["TPOT"] == pytest.approx(1000)


def test_two_requests_share_one_window() -> None:
    found = sheet(columns([ONE, TokenTimes(1.0, 1.0, (Arrival(1.5, 1), Arrival(2.1, 1)))]))
    assert found["LoadGen"]["requests/s"] == pytest.approx(1 / 2.1)
    assert found["vllm bench serve"]["requests/s"] == pytest.approx(2 / 2.0)


def test_what_the_times_do_not_tell_is_left_out() -> None:
    one = np.array([1.0])
    found = sheet(TokenColumns(0 * one, 0 * one, one, 2 * one, np.array([3])))
    assert "ITL" not in found["vllm bench serve"] and "TPOT" not in found["MLPerf Endpoints"]
    assert found["LoadGen"]["TPOT"] == pytest.approx(500)


def test_the_two_kinds_of_percentile_differ() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert by_index(values, 0.5) == 3.0
    assert interpolated(values, 0.5) == 2.5
    assert by_index(values, 1.0) == interpolated(values, 1.0) == 4.0


def test_a_run_without_an_answer_has_no_sheet() -> None:
    with pytest.raises(ValueError, match="no request"):
        columns([])
