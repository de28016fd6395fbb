"""How much was measured: Mixtral's set holds 15,000 samples."""

from __future__ import annotations

import pytest

from assay.audit import samples
from assay.audit.evidence import Evidence
from tests import published
from tests.audit.subjects import log, of_cm, own, subject, told

SIZE, LOGGED, ABSENT = samples.CHECKS


def counted(key: str, count: int) -> Evidence:
    return Evidence(accuracy=log(**{key: count}))


@pytest.mark.parametrize(
    ("option", "count"),
    [
        ("--env.CM_TEST_QUERY_COUNT=5", 5),
        ("--env.MLC_TEST_QUERY_COUNT=14999", 14999),
        ("--env.CM_MLPERF_LOADGEN_QUERY_COUNT=7", 7),
        ("--test_query_count=9", 9),
    ],
)
def test_a_part_of_the_set_that_the_command_asks_for_is_an_error(option: str, count: int) -> None:
    (finding,) = SIZE(subject(of_cm(command=(*published.RIGHT_COMMAND, option))))
    assert finding.message == f"the scores are over {count} of 15000 samples, and the report does not say so"
    assert finding.severity.value == "error"


@pytest.mark.parametrize("value", ["15000", "15001", "many", "", "-5"])
def test_the_whole_set_or_no_number_is_no_part_of_it(value: str) -> None:
    assert (
        told(SIZE, subject(of_cm(command=(*published.RIGHT_COMMAND, f"--env.CM_TEST_QUERY_COUNT={value}"))))
        == []
    )


def test_the_log_counts_where_neither_command_nor_report_does() -> None:
    (finding,) = SIZE(subject(of_cm(), counted("effective_accuracy_sample_count", 20)))
    assert "over 20 of 15000" in finding.message
    assert told(SIZE, subject(of_cm(accuracy=()), counted("effective_accuracy_sample_count", 20))) == []


@pytest.mark.parametrize("said", ["n = 5", "over 5 samples", "5 of 15000", "| n |"])
def test_a_part_of_the_set_that_the_report_declares_is_a_note(said: str) -> None:
    text = of_cm(command=(*published.RIGHT_COMMAND, "--env.CM_TEST_QUERY_COUNT=5")) + said + "\n"
    assert [severity for _, severity, _, _ in told(SIZE, subject(text))] == ["note"]


def test_what_is_said_before_the_results_declares_nothing() -> None:
    text = "n = 5\n" + of_cm(command=(*published.RIGHT_COMMAND, "--env.CM_TEST_QUERY_COUNT=5"))
    assert [severity for _, severity, _, _ in told(SIZE, subject(text))] == ["error"]


def test_no_more_samples_are_said_than_the_log_has() -> None:
    text = own(samples="100", gsm8k="73.5 % (n = 50)")
    assert told(LOGGED, subject(text, counted("effective_accuracy_sample_count", 100))) == []
    assert told(LOGGED, subject(text, counted("effective_accuracy_sample_count", 60))) == [
        ("R5", "error", "100 samples used", "at most 60")
    ]
    assert told(LOGGED, subject(text, counted("qsl_reported_total_count", 40))) == [
        ("R5", "error", "GSM8K accuracy: n = 50", "at most 40"),
        ("R5", "error", "100 samples used", "at most 40"),
    ]
    assert told(LOGGED, subject(text)) == []


def test_the_metrics_of_the_round_that_are_left_out_are_named() -> None:
    found = told(ABSENT, subject(of_cm(accuracy=published.RIGHT[2:5])))
    assert [shown for _, _, shown, _ in found] == ["no rouge1, rouge2, mbxp"]
    assert found[0][3] == "rouge1, rouge2, rougeL, tokens_per_sample, gsm8k, mbxp"


def test_a_metric_that_is_said_to_be_not_measured_is_not_left_out() -> None:
    text = of_cm(accuracy=published.RIGHT[1:]) + "\nrouge1: was not measured here\n"
    assert told(ABSENT, subject(text)) == []
    far = of_cm(accuracy=published.RIGHT[1:]) + "\nrouge1: " + "x" * 80 + " not measured\n"
    assert len(told(ABSENT, subject(far))) == 1


def test_a_report_of_performance_alone_leaves_no_metric_out() -> None:
    assert told(ABSENT, subject(of_cm(accuracy=()))) == []
