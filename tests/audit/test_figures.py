"""Figures: their units, the log beside them, accuracy.txt beside them, and the precision."""

from __future__ import annotations

import pytest

from assay.audit import figures
from assay.audit.evidence import Evidence
from tests.audit.subjects import log, of_cm, own, subject, told

UNITS, OWN_LOG, OWN_SCORES, PRECISION = figures.CHECKS
LOG = log(result_tokens_per_second=1450.0, result_samples_per_second=10.0, result_validity="VALID")


def test_a_right_report_passes_every_check() -> None:
    for text in (of_cm(), own()):
        assert [told(check, subject(text)) for check in figures.CHECKS] == [[]] * 4


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("100 tokens/s", []),
        ("100 samples/s", [("R3", "error", "Tokens per second: 100 samples/s", "tokens/s")]),
        ("100", []),
        ("100 queries/s", [("R3", "error", "Tokens per second: 100 queries/s", "tokens/s")]),
    ],
)
def test_a_unit_is_that_of_its_label(shown: str, found: list[tuple[str, str, str, str]]) -> None:
    assert told(UNITS, subject(own(tokens=shown))) == found


def test_tokens_printed_as_samples_are_proved_by_the_log() -> None:
    text = of_cm(performance="`Samples per second`: `1450`")
    found = told(UNITS, subject(text, Evidence(performance=LOG)))
    assert found == [("R3", "error", "Samples per second: 1450", "10 samples/s, 1450 tokens/s")]
    assert told(OWN_LOG, subject(text, Evidence(performance=LOG))) == []  # one fault, told once


def test_samples_that_are_the_logs_samples_are_right() -> None:
    text = of_cm(performance="`Samples per second`: `10`")
    assert told(UNITS, subject(text, Evidence(performance=LOG))) == []
    assert told(OWN_LOG, subject(text, Evidence(performance=LOG))) == []


def test_one_token_a_sample_makes_both_figures_one() -> None:
    one = log(result_tokens_per_second=10.0, result_samples_per_second=10.0)
    text = of_cm(performance="`Samples per second`: `10`")
    assert told(UNITS, subject(text, Evidence(performance=one))) == []


def test_without_a_log_the_samples_of_a_cm_report_are_inferred_from_its_tokens_per_sample() -> None:
    (found,) = told(UNITS, subject(of_cm(performance="`Samples per second`: `290`")))
    assert found[3] == "290 Tokens/s, about 2 samples/s at 145 tokens per sample"
    (unknown,) = told(UNITS, subject(of_cm(performance="`Samples per second`: `290`", accuracy=())))
    assert unknown[3] == "290 Tokens/s, about unknown samples/s"


@pytest.mark.parametrize(
    ("performance", "log_has", "expected"),
    [
        ("`Tokens per second`: `1449`", {"result_tokens_per_second": 1450.0}, "1450"),
        ("`Tokens per second`: `1450.01`", {"result_tokens_per_second": 1450.0}, None),
        ("`Tokens per second`: `7`", {"result_completed_tokens_per_second": 8.0}, "8"),
        ("`Tokens per second`: `7`", {"result_inferred_tokens_per_second": 9.0}, "9"),
        ("`Samples per second`: `7`", {"result_completed_samples_per_sec": 6.0}, "6"),
        ("`Tokens per second`: `7`", {"result_validity": "VALID"}, None),
        ("`Something else`: `7`", {"result_tokens_per_second": 1450.0}, None),
    ],
)
def test_a_printed_figure_is_the_logs(
    performance: str, log_has: dict[str, float | str], expected: str | None
) -> None:
    found = told(OWN_LOG, subject(of_cm(performance=performance), Evidence(performance=log(**log_has))))
    assert [(code, wanted) for code, _, _, wanted in found] == ([("R10", expected)] if expected else [])


@pytest.mark.parametrize(
    ("row", "log_has", "expected"),
    [
        ("p99 first token | 7 ms", {"result_first_token_99__00_percentile_latency_ns": 7e6}, None),
        (
            "p99 first token | 8 ms (limit 2000 ms: met)",
            {"result_first_token_99__00_percentile_latency_ns": 7e6},
            "7",
        ),
        ("p99 first token | 7000000 ms", {"result_first_token_99__00_percentile_latency_ns": 7e6}, "7"),
        (
            "p99 per output token | 5 ms",
            {"result_time_per_output_token_99__00_percentile_ns": 4e6},
            "4",
        ),
    ],
)
def test_a_latency_is_the_logs_in_milliseconds(
    row: str, log_has: dict[str, float | str], expected: str | None
) -> None:
    text = own().replace("Tokens per second | 100 tokens/s", row)
    found = told(OWN_LOG, subject(text, Evidence(performance=log(**log_has))))
    assert [(code, wanted) for code, _, _, wanted in found] == ([("R10", expected)] if expected else [])


@pytest.mark.parametrize(
    ("word", "logged", "is_told"), [("VALID", "VALID", 0), ("VALID", "INVALID", 1), ("INVALID", "VALID", 1)]
)
def test_loadgens_word_is_the_logs(word: str, logged: str, is_told: int) -> None:
    asked = subject(own(word=word), Evidence(performance=log(result_validity=logged)))
    assert [(f, e) for _, _, f, e in told(OWN_LOG, asked)] == [(word, logged)] * is_told


@pytest.mark.parametrize(
    ("text", "is_told"), [("'gsm8k': 73.5", 0), ("gsm8k: 73.5", 0), ("'gsm8k': 74.0", 1), ("", 0)]
)
def test_a_printed_score_is_that_of_accuracy_txt(text: str, is_told: int) -> None:
    found = told(OWN_SCORES, subject(own(), Evidence(accuracy_text=text)))
    assert found == [("R10", "error", "73.5", "74")] * is_told


def test_of_two_lines_of_accuracy_txt_the_last_counts() -> None:
    beside = Evidence(accuracy_text="{'gsm8k': 50.0}\n{'gsm8k': 73.5}\n")
    assert told(OWN_SCORES, subject(own(), beside)) == []


@pytest.mark.parametrize(
    ("record", "claimed", "expected"),
    [
        ("fp16", "float16", None),
        ("float16", "fp16", None),
        ("bfloat16", "float16", "bfloat16"),
        (None, "float16", None),
        (None, "fp32", "float16"),  # the command asks for float16
        ("fp16", "some other words", None),
    ],
)
def test_the_precision_claimed_is_the_one_loaded_and_asked_for(
    record: str | None, claimed: str, expected: str | None
) -> None:
    found = told(PRECISION, subject(of_cm(precision=claimed), precision=record))
    assert [(code, wanted) for code, _, _, wanted in found] == ([("R4", expected)] if expected else [])


def test_another_precision_than_the_native_command_asks_for_is_told_once() -> None:
    text = own().replace("Model precision: float16", "Model precision: bf16")
    found = told(PRECISION, subject(text, precision="float16"))
    assert found == [("R4", "error", "bf16", "float16")]
