"""TEST07: the score of a performance run's answers above a threshold."""

from __future__ import annotations

import re

import pytest

from assay.mlperf.compliance.test07 import ScoreVerdict

PRINTED = "\nResults\n\n{'exact_match': 60.7}\n"


@pytest.mark.parametrize(
    ("score", "passed"), [(60.698, True), (100.0, True), (60.697, False), (0.0, False), (None, False)]
)
def test_a_score_at_the_threshold_passes_and_no_score_fails(score: float | None, passed: bool) -> None:
    verdict = ScoreVerdict(score, 60.698, 990, PRINTED)
    assert verdict.passed is passed
    assert verdict.text().splitlines()[-1] == ("TEST PASS" if passed else "TEST FAIL")
    assert verdict.reasons == (() if passed else (f"exact_match {score} is below 60.698",))


def test_the_file_holds_what_the_evaluator_prints_and_the_summary() -> None:
    verdict = ScoreVerdict(60.7, 60.698, 990, PRINTED)
    assert re.search(r"'exact_match':\s*([\d.]+)", verdict.text()).group(1) == "60.7"  # type: ignore[union-attr]
    assert verdict.text().splitlines()[-4:] == [
        "Accuracy score: 60.7",
        "Accuracy threshold: 60.698",
        "Accuracy check pass: True",
        "TEST PASS",
    ]
    assert verdict.words == "passed: exact_match 60.7 over 990 answers"
