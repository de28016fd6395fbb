"""Figures as words: digits, units, and what may be said of a score."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import Scenario
from assay.mlperf.record.result import Figure, RunValidity, Status
from assay.mlperf.sut.interface import Used
from assay.report import words
from tests import fakes


@pytest.mark.parametrize(
    ("value", "text"), [(44.123, "44.1"), (999.9, "999.9"), (1234.5678, "1234.6"), (0.5, "0.5")]
)
def test_an_interval_needs_three_digits(value: float, text: str) -> None:
    assert words.short(value) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "46 % (n = 10, 95 %: 40 to 52)"),
        ({"interval": None}, "46 % (n = 10)"),
        ({"interval": None, "reason": "all equal: no interval"}, "46 % (n = 10, all equal: no interval)"),
        ({"interval": (46.0, 46.0)}, "46 % (n = 10, all equal: no interval)"),  # an older record
        ({"interval": None, "n": 2}, "46 % (n = 2, too few for an interval)"),
        ({"unit": ""}, "46 (n = 10, 95 %: 40 to 52)"),
        ({"value": None, "reason": "no php"}, "not measured: no php"),
        ({"value": None}, "not measured"),
    ],
)
def test_a_score_says_what_it_rests_on_or_why_there_is_none(changes: dict[str, Any], text: str) -> None:
    assert words.value(fakes.scored(**changes)) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (None, None, "no target"),
        (45.142911, None, ">= 45.142911"),
        (None, 160.49, "<= 160.49"),
        (130.356, 160.49, "130.356 to 160.49"),
    ],
)
def test_a_gate_has_the_digits_of_the_round(low: float | None, high: float | None, text: str) -> None:
    assert words.gate(fakes.scored(low=low, high=high)) == text


@pytest.mark.parametrize(
    ("met", "ungraded", "judged", "text"),
    [
        (True, 0, True, "met"),
        (False, 0, True, "MISSED"),
        (True, 0, False, "inside (part of the set)"),
        (False, 0, False, "outside (part of the set)"),
        (None, 3, True, "not graded"),
        (None, 0, True, "not judged"),
    ],
)
def test_only_a_run_over_the_whole_set_meets_a_target(
    met: bool | None, ungraded: int, judged: bool, text: str
) -> None:
    assert words.verdict(fakes.scored(met=met, ungraded=ungraded), judged) == text


@pytest.mark.parametrize(
    ("found", "limit", "text"),
    [
        (9525.3, 2000.0, "9525.3 ms (limit 2000 ms: exceeded)"),
        (2000.0, 2000.0, "2000 ms (limit 2000 ms)"),
        (12.0, None, "12 ms"),
        (None, 2000.0, "not measured (limit 2000 ms)"),
    ],
)
def test_a_latency_stands_beside_its_limit(found: float | None, limit: float | None, text: str) -> None:
    figures = () if found is None else (Figure("ttft_p99", found, "ms", 10, "f"),)
    limits = {} if limit is None else {"ttft_p99": limit}
    run = fakes.performance(scenario=Scenario.SERVER, figures=figures, limits_ms=limits)
    assert dict(words.latencies(run)) == {"p99 first token": text}


def test_a_run_without_latencies_and_limits_has_no_such_line() -> None:
    assert list(words.latencies(fakes.performance())) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"effective": {"min_duration_ms": 600_000}}, "LoadGen says VALID"),
        ({"effective": {}}, "LoadGen says VALID"),
        ({"validity": RunValidity.NOT_JUDGED, "effective": {}}, "LoadGen says nothing"),
        (
            {"effective": {"min_duration_ms": 20_000}},
            "LoadGen says VALID (over at least 20 s; round v5.1 demands 600 s)",
        ),
        (
            {
                "validity": RunValidity.INVALID,
                "invalid_because": ("a", "b"),
                "effective": {"min_duration_ms": 0},
            },
            "LoadGen says INVALID: a; b (without a minimum duration; round v5.1 demands 600 s)",
        ),
    ],
)
def test_loadgens_word_comes_with_what_it_was_asked_to_judge_by(changes: dict[str, Any], text: str) -> None:
    run = fakes.performance(**changes)
    assert words.validity(fakes.result(run), run) == text


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (
            Used("engine", "assay 1", "bfloat16", "cpu", 64, None),
            "engine, bfloat16 weights, batch 64, cpu, assay 1",
        ),
        (Used("echo", "none", "none", "cpu", None, None), "echo, cpu"),
        (None, "nothing: the SUT was not loaded"),
    ],
)
def test_what_was_used_is_said_without_what_is_not_known(used: Used | None, text: str) -> None:
    assert words.used(fakes.result(used=used)) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "unverified: not an MLCommons result"),
        (
            {"is_fake": True},
            "FAKE: the answers were not computed by a model; unverified: not an MLCommons result",
        ),
        (
            {"status": Status.FAILED, "reason": "no memory", "is_fake": True},
            "FAILED: no memory; FAKE: the answers were not computed by a model; unverified: not an MLCommons result",
        ),
    ],
)
def test_the_worst_is_said_first(changes: dict[str, Any], text: str) -> None:
    assert words.standing(fakes.result(**changes)) == text


def test_a_metric_without_a_title_is_its_name() -> None:
    assert (words.title("rouge1"), words.title("latency_mean")) == ("ROUGE-1", "latency mean")
