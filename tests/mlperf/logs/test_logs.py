from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf import logs
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.rounds.round import Seeds

SERVER = {
    "loadgen_version": "6.0.3 @ abc",
    "effective_scenario": "Server",
    "effective_test_mode": "PerformanceOnly",
    "effective_qsl_rng_seed": 1,
    "effective_sample_index_rng_seed": 2,
    "effective_schedule_rng_seed": 3,
    "requested_min_query_count": 30,
    "power_begin": "11-23-2026 20:44:04.414",
    "power_end": "11-23-2026 20:44:06.914",
    "result_validity": "INVALID",
    "result_perf_constraints_met": False,
    "result_min_duration_met": True,
    "early_stopping_met": False,
    "result_invalid_reason": "",
    "early_stopping_ttft_result": " * Run unsuccessful.\n * Processed 30 queries.",
    "result_query_count": 30,
    "result_scheduled_samples_per_sec": 12.5,
    "result_completed_samples_per_sec": 12.0,
    "result_completed_tokens_per_second": 1740.0,
    "result_min_latency_ns": 1_000_000,
    "result_mean_latency_ns": 2_500_000,
    "result_max_latency_ns": 4_000_000,
    "result_99.00_percentile_latency_ns": 3_900_000,
    "result_first_token_min_latency_ns": 500_000,
    "result_first_token_mean_latency_ns": 600_000,
    "result_first_token_max_latency_ns": 700_000,
    "result_first_token_99.90_percentile_latency_ns": 690_000,
    "result_time_to_output_token_min": 12,
    "result_time_to_output_token_mean": 25,
    "result_time_to_output_token_max": 140,
    "result_time_per_output_token_50.00_percentile_ns": 17,
}


def line(key: str, value: Any, **metadata: Any) -> str:
    return ":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 1.5, "metadata": metadata})


def written(folder: Path, values: dict[str, Any], *more: str) -> Path:
    text = "\n".join([line(key, value) for key, value in values.items()] + list(more))
    (folder / logs.DETAIL_FILE).write_text(text + "\n")
    return folder


def test_a_server_log_gives_completed_rates_and_latencies_in_milliseconds(tmp_path: Path) -> None:
    record = logs.read_record(written(tmp_path, SERVER))
    assert (record.samples_per_s, record.tokens_per_s, record.samples) == (12.0, 1740.0, 30)
    assert record.seconds == pytest.approx(2.5)
    assert record.latencies["latency"].percentile_ms == {99.0: 3.9}
    assert record.latencies["ttft"].percentile_ms == {99.9: 0.69}
    assert record.latencies["tpot"].mean_ms == pytest.approx(25e-6)
    assert record.seeds == Seeds(1, 2, 3)
    assert record.requested["min_query_count"] == 30


def test_an_invalid_run_says_which_rules_it_broke(tmp_path: Path) -> None:
    record = logs.read_record(written(tmp_path, SERVER))
    assert record.validity == "INVALID"
    assert record.invalid_because == ("latency limits were exceeded", "too few queries for early stopping")
    assert record.early_stopping == {"ttft": "Run unsuccessful. Processed 30 queries."}


def test_loadgens_advice_follows_the_broken_rules(tmp_path: Path) -> None:
    values = {**SERVER, "result_invalid_reason": "Increase expected QPS. See the rules."}
    assert logs.read_record(written(tmp_path, values)).invalid_because[2:] == (
        "Increase expected QPS.",
        "See the rules.",
    )


def test_offline_samples_are_the_size_of_the_one_query(tmp_path: Path) -> None:
    values = {
        "effective_scenario": "Offline",
        "generated_query_count": 30,
        "generated_samples_per_query": 220,
    }
    values |= {
        "power_end": "x",
        "result_query_count": 1,
        "result_samples_per_second": 5.5,
        "result_tokens_per_second": 800,
    }
    record = logs.read_record(written(tmp_path, values))
    assert (record.samples, record.samples_per_s, record.tokens_per_s) == (220, 5.5, 800)
    assert record.validity == "" and record.latencies == {} and record.seconds is None


def test_errors_and_warnings_are_kept_whatever_the_summary_counts(tmp_path: Path) -> None:
    more = (line("error_runtime", "ended early", is_error=True), line("warning_x", "slow", is_warning=True))
    record = logs.read_record(written(tmp_path, SERVER, *more))
    assert record.errors == ("error_runtime: ended early",)
    assert record.warnings == ("warning_x: slow",)


def test_a_figure_that_is_not_a_number_is_absent_not_zero(tmp_path: Path) -> None:
    nan = ':::MLLOG {"key": "result_completed_samples_per_sec", "value": -nan, "metadata": {}}'
    rest = {key: value for key, value in SERVER.items() if key != "result_completed_samples_per_sec"}
    record = logs.read_record(written(tmp_path, rest, nan))
    assert record.samples_per_s is None


@pytest.mark.parametrize(
    ("is_fast_enough", "said"),
    [
        (True, "too few queries for early stopping: 419 more are needed"),
        (False, "too few queries for early stopping"),
    ],
)
def test_how_many_queries_are_missing_is_told_where_more_would_help(
    tmp_path: Path, is_fast_enough: bool, said: str
) -> None:
    words = " * Run unsuccessful.\n * Processed 40 queries.\n * Would need to run at least 419 more queries,\n with"
    values = {
        "result_validity": "INVALID",
        "result_perf_constraints_met": is_fast_enough,
        "early_stopping_met": False,
        "early_stopping_tpot_result": words,
    }
    assert said in logs.read_record(written(tmp_path, values)).invalid_because


def test_a_log_that_stops_early_is_incomplete_and_counts_no_samples(tmp_path: Path) -> None:
    record = logs.read_record(
        written(tmp_path, {"effective_scenario": "Server", "generated_query_count": 30})
    )
    assert not record.is_complete and record.samples is None


def test_a_key_written_twice_with_other_values_is_noticed(tmp_path: Path) -> None:
    folder = written(tmp_path, SERVER, line("result_validity", "VALID"))
    log = logs.read_detail(folder / logs.DETAIL_FILE)
    assert log.repeated == ("result_validity",) and log.values["result_validity"] == SERVER["result_validity"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff" * 500, b"hello\n", b":::MLLOG [1]\n:::MLLOG {}\n", b":::MLLOG " + b"[" * 9000],
)
def test_a_file_without_loadgen_records_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / logs.DETAIL_FILE
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="holds no LoadGen records"):
        logs.read_detail(path)


def test_a_device_in_place_of_a_log_is_not_read(tmp_path: Path) -> None:
    (tmp_path / logs.DETAIL_FILE).symlink_to("/dev/zero")
    with pytest.raises(ArtifactError, match="no log file"):
        logs.read_record(tmp_path)


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 3000), junk=st.binary(max_size=40))
def test_a_damaged_detail_log_gives_a_record_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    folder = written(tmp_path_factory.mktemp("log"), SERVER)
    path = folder / logs.DETAIL_FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:cut] + junk + whole[cut + 7 :])
    try:
        logs.read_record(folder)
    except ArtifactError as error:
        assert str(path) in error.message


def entry(index: int, ids: list[int], dtype: str = "<i4", **more: Any) -> str:
    data = np.array(ids, dtype).tobytes().hex().upper()
    return json.dumps({"seq_id": index, "qsl_idx": index + 5, "data": data, **more})


def accuracy_log(folder: Path, *entries: str) -> Path:
    path = folder / logs.ACCURACY_FILE
    path.write_text("[\n" + ",\n".join(entries) + "\n]\n")
    return path


@pytest.mark.parametrize(("name", "dtype"), [("int32", "<i4"), ("int64", "<i8"), ("float", "<f4")])
def test_answers_are_decoded_by_the_dtype_they_were_sent_in(tmp_path: Path, name: str, dtype: str) -> None:
    path = accuracy_log(tmp_path, entry(0, [1, 31_999], dtype), entry(1, [], dtype))
    entries = list(read_accuracy(path, name))
    assert [e.token_ids.tolist() for e in entries] == [[1, 31_999], []]
    assert [(e.seq_id, e.qsl_idx) for e in entries] == [(0, 5), (1, 6)]


def test_first_token_and_count_are_kept_where_the_log_has_them(tmp_path: Path) -> None:
    path = accuracy_log(tmp_path, entry(0, [7, 8], token_data="07000000", token_count=2), entry(1, [7]))
    first, second = read_accuracy(path)
    assert first.first_ids is not None and first.first_ids.tolist() == [7]
    assert first.token_count == 2
    assert (second.first_ids, second.token_count) == (None, None)


def test_an_empty_log_has_no_entries(tmp_path: Path) -> None:
    path = tmp_path / logs.ACCURACY_FILE
    path.write_text("[\n]\n")
    assert list(read_accuracy(path)) == []


def test_the_same_json_in_another_layout_is_read_too(tmp_path: Path) -> None:
    path = accuracy_log(tmp_path, entry(0, [1, 2]), entry(1, [3, 4]))
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4))
    assert [e.token_ids.tolist() for e in read_accuracy(path)] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is no JSON"),
        ("{}", "no JSON list"),
        ("[\n" + entry(0, [1]) + ",\n", "cut short"),
        ("[\n" + entry(0, [1]) + ",\n" + entry(1, [1])[:-9], "cut short"),
        (
            "[\n" + entry(0, [1]) + "\n\n...\n\n" + entry(1, [1]) + "\n]\n",
            "damaged or was cut short at line 3",
        ),
        ("[\n" + entry(0, [1]) + "\n]\nmore\n", "goes on after the end"),
        ('[\n{"seq_id": 0, "qsl_idx": 0, "data": "0102030"}\n]', "no hex"),
        ('[\n{"seq_id": 0, "qsl_idx": 0, "data": "010203"}\n]', "3 bytes of data, no multiple of 4"),
        ('[\n{"seq_id": 0, "qsl_idx": 0}\n]', "no field 'data'"),
        ('[\n{"seq_id": 0, "qsl_idx": "x", "data": ""}\n]', "qsl_idx 'x'"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_damaged_accuracy_log_is_refused_with_what_is_wrong(
    tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / logs.ACCURACY_FILE
    path.write_text(content)
    with pytest.raises(ArtifactError, match=words):
        list(read_accuracy(path))


@pytest.mark.parametrize("value", [1.5, np.nan, np.inf, 1e30])
def test_fractions_and_what_no_integer_holds_are_no_token_ids(tmp_path: Path, value: float) -> None:
    data = np.array([value, 2], "<f4").tobytes().hex()
    path = accuracy_log(tmp_path, json.dumps({"seq_id": 0, "qsl_idx": 0, "data": data}))
    with pytest.raises(ArtifactError, match="no whole numbers"):
        list(read_accuracy(path, "float"))


def test_an_unknown_dtype_is_refused_before_the_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="int23") as failure:
        read_accuracy(tmp_path / "absent", "int23")
    assert failure.value.hint == "did you mean int32?"
