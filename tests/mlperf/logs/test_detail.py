"""A detail log, of a run as of a submission: the first record of a key counts, and any bytes are read."""

from __future__ import annotations

import json

import pytest

from assay.mlperf.logs.detail import JUDGED_KEYS, MESSAGE_CHARS_MAX, MESSAGES_MAX, parse


def line(key: str, value: object, **metadata: object) -> str:
    return ":::MLLOG " + json.dumps({"key": key, "value": value, "metadata": metadata})


def test_wanted_keys_are_kept_and_others_passed_over() -> None:
    content = "\n".join([line("result_validity", "VALID"), line("loaded_qsl_set", [1] * 100)]).encode()
    log = parse(content, JUDGED_KEYS)
    assert log.values == {"result_validity": "VALID"}
    assert parse(content).values == {"result_validity": "VALID", "loaded_qsl_set": [1] * 100}
    assert (log.errors, log.warnings, log.faults) == ((), (), ())


def test_of_two_records_of_one_key_the_first_counts() -> None:
    log = parse("\n".join([line("result_validity", "INVALID"), line("result_validity", "VALID")]).encode())
    assert log.text("result_validity") == "INVALID"
    assert log.repeated == ("result_validity",)


def test_a_record_in_a_line_of_something_else_is_none() -> None:
    assert parse(("said: " + line("result_validity", "VALID")).encode()).values == {}


@pytest.mark.parametrize("printed", ["nan", "-nan", "inf"])
def test_a_figure_printed_as_nan_is_none_and_a_fault(printed: str) -> None:
    log = parse(f':::MLLOG {{"key": "result_samples_per_second", "value": {printed}}}'.encode())
    assert log.values == {"result_samples_per_second": None}
    assert len(log.faults) == 1


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (2.5, 2.5),
        (True, None),
        ("3", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        ([1], None),
    ],
)
def test_a_number_is_finite_and_no_flag(value: object, number: float | None) -> None:
    log = parse(line("result_tokens_per_second", value).encode())
    assert log.number("result_tokens_per_second") == number
    assert log.number("absent") is None


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), (False, False), ("true", True), ("False", False), (1, None), ("yes", None), (None, None)],
)
def test_a_flag_may_be_quoted(value: object, flag: bool | None) -> None:
    assert parse(line("early_stopping_met", value).encode()).flag("early_stopping_met") is flag


def test_errors_and_warnings_are_kept_whatever_their_key() -> None:
    log = parse(
        "\n".join(
            [
                line("error_runtime", "late", is_error=True),
                line("warning_x", "odd", is_warning=True),
                line("result_validity", "VALID"),
                '{"key": "error_in_no_marked_line", "metadata": {"is_error": true}}',
            ]
        ).encode()
    )
    assert log.errors == ("error_runtime: late",)
    assert log.warnings == ("warning_x: odd",)


def test_no_more_than_so_many_messages_are_kept_and_each_is_cut() -> None:
    log = parse("\n".join(line("e", "x" * 900, is_error=True) for _ in range(MESSAGES_MAX + 5)).encode())
    assert len(log.errors) == MESSAGES_MAX
    assert {len(message) for message in log.errors} == {MESSAGE_CHARS_MAX}


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\0" * 50, line("loaded_qsl_set", 1).encode()])
def test_a_file_without_a_record_of_loadgen_is_a_fault(content: bytes) -> None:
    assert parse(content, JUDGED_KEYS).faults == ("no :::MLLOG record of LoadGen in it",)


@pytest.mark.parametrize(
    "tail", [":::MLLOG {", ":::MLLOG [1]", ':::MLLOG {"key": "num_errors", "value": ' + "9" * 5000 + "}"]
)
def test_a_line_that_is_no_record_is_a_fault(tail: str) -> None:
    log = parse((line("result_validity", "VALID") + "\n" + tail).encode())
    assert len(log.faults) == 1 and log.faults[0].startswith("not a JSON record: :::MLLOG ")
    assert log.text("result_validity") == "VALID"


@pytest.mark.parametrize(
    ("values", "length"),
    [
        ({"result_tokens_per_second": 145.0, "result_samples_per_second": 0.5}, 290.0),
        ({"result_completed_tokens_per_second": 145.0, "result_completed_samples_per_sec": 1.0}, 145.0),
        ({"result_tokens_per_second": 145.0}, None),
        ({"result_tokens_per_second": 145.0, "result_samples_per_second": 0}, None),
        ({}, None),
    ],
)
def test_answers_are_as_long_as_tokens_per_sample(values: dict[str, float], length: float | None) -> None:
    assert parse("\n".join(line(*item) for item in values.items()).encode()).tokens_per_sample == length
