"""Token ids of 64 bits scored as 32: each counts twice. Source: evaluate-accuracy.py, --dtype."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assay.audit import widths
from assay.audit.evidence import Evidence
from tests import published
from tests.audit.subjects import log, of_cm, subject, told

(WIDTH,) = widths.CHECKS
REQUIRED = "Required accuracy for closed division `>= 131.31` and `<= 160.49`"


def report(value: float, *options: str, scenario: str = "_offline") -> str:
    command = (
        published.RIGHT_COMMAND[0].replace("_offline", scenario),
        *published.RIGHT_COMMAND[1:],
        *options,
    )
    return of_cm(command=command, accuracy=(f"`TOKENS_PER_SAMPLE`: `{value}`, {REQUIRED}",))


def answers(dtype: str, *lengths: int) -> bytes:
    rows = [
        {"qsl_idx": n, "data": np.arange(5, 5 + length).astype(dtype).tobytes().hex().upper()}
        for n, length in enumerate(lengths)
    ]
    return json.dumps(rows).encode()


@pytest.mark.parametrize(
    ("beside", "told_as"),
    [
        (Evidence(answers=answers("<i8", 100, 200)), ["150"]),  # 300 printed, 150 logged
        (Evidence(answers=answers("<i4", 100, 200)), []),
        (Evidence(answers=answers("<i4", 300, 300)), []),
        (Evidence(performance=log(result_tokens_per_second=150.0, result_samples_per_second=1.0)), ["150"]),
        (Evidence(performance=log(result_tokens_per_second=300.0, result_samples_per_second=1.0)), []),
        (Evidence(performance=log(result_tokens_per_second=160.0, result_samples_per_second=1.0)), []),
    ],
)
def test_doubled_tokens_are_proved_by_what_lies_beside_the_report(
    beside: Evidence, told_as: list[str]
) -> None:
    assert [expected for _, _, _, expected in told(WIDTH, subject(report(300.0), beside))] == told_as


def test_halved_tokens_are_proved_too() -> None:
    found = told(WIDTH, subject(report(75.0), Evidence(answers=answers("<i4", 100, 200))))
    assert [expected for _, _, _, expected in found] == ["150"]


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        (report(300.5, "--env.CM_TEST_QUERY_COUNT=2"), False),  # 601 ids: odd, so they are not doubled
        (report(300.0, "--env.CM_TEST_QUERY_COUNT=3"), True),
        (report(300.0), False),
        (report(300.0, "--env.CM_TEST_QUERY_COUNT=2", scenario="_server"), False),
        (report(300.0, "--env.CM_TEST_QUERY_COUNT=2", "--env.CM_MLPERF_LOADGEN_SCENARIO=Server"), False),
    ],
)
def test_without_a_log_doubling_is_inferred_for_the_reference_in_offline(text: str, is_told: bool) -> None:
    assert bool(told(WIDTH, subject(text))) is is_told


def test_another_implementation_or_workload_is_not_suspected() -> None:
    doubled = report(300.0, "--env.CM_TEST_QUERY_COUNT=2")
    assert (
        told(WIDTH, subject(doubled.replace("_reference", "_nvidia").replace("-reference-", "-nvidia-")))
        == []
    )
    assert told(WIDTH, subject(doubled.replace("_reference", "_x"))) != []  # the platform's name says it


def test_the_true_length_is_half_of_what_was_doubled() -> None:
    asked = subject(report(300.0, "--env.CM_TEST_QUERY_COUNT=2"))
    (claim,) = asked.report.claims
    assert widths.true_length(asked, claim) == 150.0
    right = subject(report(145.0))
    assert widths.true_length(right, right.report.claims[0]) == 145.0
