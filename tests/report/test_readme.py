from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from assay.config import Scenario, Style
from assay.mlperf.record.result import RunValidity, Status
from assay.mlperf.sut.interface import Used
from assay.report import outcome, readme, summary
from tests import fakes


def test_tokens_and_samples_per_second_are_both_there_each_with_its_own_unit() -> None:
    text = readme.render(fakes.result())
    assert "| Tokens per second | 72.5 tokens/s |" in text
    assert "| Samples per second | 0.5 samples/s |" in text


def test_precision_is_the_one_that_was_used_not_the_one_asked_for() -> None:
    text = readme.render(fakes.result())
    assert "read back from the loaded weights: float32" in text
    assert "float16" not in text


def test_every_metric_stands_beside_its_own_gate_in_whatever_order_they_come() -> None:
    tokens = fakes.scored("tokens_per_sample", 342.0, unit="tokens", low=130.356, high=160.49, met=False)
    gsm8k = fakes.scored("gsm8k", 100.0, low=72.9234, n=1)
    text = readme.render(fakes.result(fakes.accuracy(gsm8k, tokens)))
    assert "| Tokens per sample | 342 tokens (n = 10, 95 %: 40 to 52) | 130.356 to 160.49 |" in text
    assert "| GSM8K accuracy | 100 % (n = 1, 95 %: 40 to 52) | >= 72.9234 |" in text


def test_a_part_of_the_set_never_meets_a_target() -> None:
    text = readme.render(fakes.result())
    assert "cannot meet a closed-division target" in text
    assert "| met |" not in text


def test_a_whole_set_is_judged() -> None:
    whole = dataclasses.replace(fakes.result().dataset, samples=15_000, is_whole_set=True)
    text = readme.render(fakes.result(fakes.accuracy(fakes.scored(value=44.0)), dataset=whole))
    assert "MISSED" in text


def test_what_was_not_measured_is_said_with_its_reason() -> None:
    missing = fakes.scored("mbxp", None, ungraded=3, reason="php is missing: apt-get install php-cli")
    text = readme.render(fakes.result(fakes.accuracy(missing)))
    assert "not measured: php is missing" in text
    assert "not graded" in text
    assert "#### Performance\n\nnot measured" in text


def test_every_report_says_unverified_and_a_fake_run_says_fake() -> None:
    for text in (readme.render(fakes.result(is_fake=True)), summary.render(fakes.result(is_fake=True))):
        assert "unverified" in text
        assert "FAKE" in text


def test_the_run_command_can_be_pasted() -> None:
    assert "assay bench mixtral-8x7b --checkpoint '/models/a b'" in readme.render(fakes.result())


def test_server_latencies_stand_beside_their_limits_and_the_target_to_try() -> None:
    log = "Server/performance/run_1/mlperf_log_detail.txt"
    late, reached = (
        fakes.Figure("ttft_p99", 2500.0, "ms", 10, log),
        fakes.Figure("samples_per_s", 50.0, "", 1, log),
    )
    limits = {"ttft_p99": 2000.0, "tpot_p99": 200.0}
    run = fakes.performance(
        scenario=Scenario.SERVER,
        validity=RunValidity.INVALID,
        figures=(late, reached),
        limits_ms=limits,
        effective={"min_duration_ms": 20_000},
    )
    text = readme.render(fakes.result(run))
    assert "| p99 first token | 2500 ms (limit 2000 ms: exceeded) |" in text
    assert "| p99 per output token | not measured (limit 200 ms) |" in text
    assert "Try `--target-qps 35`." in text
    assert "try: --target-qps 35" in summary.render(fakes.result(run))


def test_an_interrupted_run_says_so_first() -> None:
    text = summary.render(fakes.result(status=Status.INTERRUPTED, reason="stopped by the user"))
    assert text.splitlines()[0].split(": ", 1)[1].startswith("INTERRUPTED: stopped by the user")


@pytest.mark.parametrize(
    ("min_duration_ms", "words"),
    [
        (0, "LoadGen says VALID (without a minimum duration; round v5.1 demands 600 s)."),
        (20_000, "LoadGen says VALID (over at least 20 s; round v5.1 demands 600 s)."),
        (600_000, "LoadGen says VALID."),
    ],
)
def test_loadgens_verdict_on_a_short_run_says_by_what_it_was_judged_in_any_style(
    min_duration_ms: int, words: str
) -> None:
    run = fakes.performance(effective={"min_duration_ms": min_duration_ms})
    for style in Style:
        asked = dataclasses.replace(fakes.result().asked, style=style)
        assert words in readme.render(fakes.result(run, asked=asked))


def test_what_the_system_under_test_says_of_itself_is_a_note() -> None:
    slow = "PyTorch ops, slower than native kernels: no C++ compiler"
    used = Used("engine", "assay", "float32", "cpu", 1, None, notes=(slow,))
    assert f"- {slow}" in readme.render(fakes.result(used=used))
    assert slow in summary.render(fakes.result(used=used))  # unwrapped where no width is given


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_of_the_summary_is_wider_than_the_terminal(width: int) -> None:
    ungraded = fakes.scored(
        "mbxp", None, ungraded=3, reason="php is missing: " + "apt-get install php-cli " * 9
    )
    scores = [
        fakes.scored("rouge1"),
        fakes.scored("tokens_per_sample", 45.3, low=40.77, high=49.83),
        ungraded,
    ]
    text = summary.render(
        fakes.result(fakes.performance(), fakes.accuracy(*scores), notes=("so " * 90,)), width
    )
    assert max(map(len, text.splitlines())) <= width
    assert "target >= 45.142911" in text and text.count("n = 10, 95 %: 40 to 52") == 2


@pytest.mark.parametrize(
    ("changes", "said", "is_good"),
    [
        ({}, "1 target met, Offline VALID", True),
        ({"value": 44.0}, "1 target missed (Offline ROUGE-1), Offline VALID", False),
        ({"value": None}, "Offline VALID", True),
        ({"value": None, "ungraded": 3}, "1 not graded (Offline ROUGE-1), Offline VALID", False),
    ],
)
def test_the_outcome_names_what_a_job_may_be_judged_by(
    changes: dict[str, Any], said: str, is_good: bool
) -> None:
    whole = dataclasses.replace(fakes.result().dataset, samples=15_000, is_whole_set=True)
    runs = fakes.performance(), fakes.accuracy(fakes.scored(**changes))
    found = outcome.of(fakes.result(*runs, dataset=whole))
    assert (str(found), found.is_good) == (said, is_good)


def test_over_a_part_of_the_set_the_outcome_says_inside_and_outside_as_each_line_does() -> None:
    low = fakes.scored(value=44.0)
    assert str(outcome.of(fakes.result())) == "1 score inside (part of the set), Offline VALID"
    both = outcome.of(fakes.result(fakes.accuracy(low, fakes.scored("gsm8k", 80.0))))
    assert str(both) == "1 score outside (part of the set: Offline ROUGE-1), 1 inside"


def test_a_score_without_a_target_says_so_once() -> None:
    own = fakes.scored("brief", 90.0, low=None, high=None, met=None)
    text = summary.render(fakes.result(fakes.accuracy(own)))
    assert "no target" in text and "target no target" not in text


def test_an_invalid_run_is_no_good_outcome() -> None:
    found = outcome.of(fakes.result(fakes.performance(validity=RunValidity.INVALID)))
    assert (str(found), found.is_good) == ("Offline INVALID", False)
