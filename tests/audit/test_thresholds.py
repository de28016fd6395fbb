"""Scores against thresholds: v4.1 asks 45.036189 of ROUGE-1 and 131.31 to 160.49 of the tokens per sample."""

from __future__ import annotations

import pytest

from assay.audit import thresholds
from tests.audit.subjects import of_cm, own, subject, told

LOWS, HIGHS, MET, VERDICTS = thresholds.CHECKS
REQUIRED = "Required accuracy for closed division"


def test_a_right_report_passes_every_check() -> None:
    for text in (of_cm(), own()):
        assert [told(check, subject(text)) for check in thresholds.CHECKS] == [[]] * 4


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        (f"`ROUGE1`: `45.2`, {REQUIRED} `>= 23.050071`", ">= 23.0501, which is rouge2's", ">= 45.0362"),
        (f"`ROUGE1`: `45.2`, {REQUIRED} `>= 40`", ">= 40, which is no target of the round", ">= 45.0362"),
        (
            f"`gsm8k_accuracy`: `73.5`, {REQUIRED} `>= 131.31`",
            ">= 131.31, which is tokens_per_sample's",
            ">= 73.0422",
        ),
    ],
)
def test_a_threshold_is_that_of_its_own_metric(line: str, found: str, expected: str) -> None:
    assert told(LOWS, subject(of_cm(accuracy=(line,)))) == [("R1", "error", found, expected)]


@pytest.mark.parametrize("printed", ["45.036189", "45.03619", "45.036", "45.0362"])
def test_a_threshold_that_is_rounded_in_print_is_the_rounds(printed: str) -> None:
    assert told(LOWS, subject(of_cm(accuracy=(f"`ROUGE1`: `45.2`, {REQUIRED} `>= {printed}`",)))) == []


def test_a_metric_of_no_round_is_held_against_nothing() -> None:
    text = of_cm(accuracy=(f"`BLEU`: `1.0`, {REQUIRED} `>= 99.0`",))
    assert [told(check, subject(text)) for check in thresholds.CHECKS] == [[]] * 4


@pytest.mark.parametrize(
    ("bounds", "findings"),
    [
        ("`>= 131.31` and `<= 160.49`", []),
        ("`>= 131.31`", [("R2", "error", "no upper limit", "<= 160.49")]),
        ("`>= 131.31` and `<= 170`", [("R2", "error", "<= 170", "<= 160.49")]),
    ],
)
def test_an_upper_limit_is_printed_and_right(bounds: str, findings: list[tuple[str, str, str, str]]) -> None:
    text = of_cm(accuracy=(f"`TOKENS_PER_SAMPLE`: `145.0`, {REQUIRED} {bounds}",))
    assert told(HIGHS, subject(text)) == findings


@pytest.mark.parametrize(("value", "is_above"), [("160.48", False), ("160.5", True)])
def test_a_value_above_a_limit_that_is_not_printed_is_said_to_be(value: str, is_above: bool) -> None:
    text = of_cm(accuracy=(f"`TOKENS_PER_SAMPLE`: `{value}`, {REQUIRED} `>= 131.31`",))
    (finding,) = HIGHS(subject(text))
    assert (f"; {value} is above it" in finding.message) is is_above


@pytest.mark.parametrize(("value", "is_noted"), [("45.0361", True), ("45.036189", False), ("45.0362", False)])
def test_a_score_below_its_target_is_a_note(value: str, is_noted: bool) -> None:
    found = told(MET, subject(of_cm(accuracy=(f"`ROUGE1`: `{value}`, {REQUIRED} `>= 45.036189`",))))
    assert found == ([("R12", "note", f"{float(value):g}", ">= 45.0362")] if is_noted else [])


@pytest.mark.parametrize(
    ("value", "verdict", "expected"),
    [
        ("73.5 %", "met", None),
        ("60 %", "met", "not met"),
        ("60 %", "missed", None),
        ("60 %", "missed, by 13", None),
        ("80 %", "missed", "met"),
        ("80 %", "outside", "met"),
        ("60 %", "inside", "not met"),
        ("72.923 %", "missed", None),  # rounded in print: the figures do not tell
        ("72.923 %", "met", None),
        ("60 %", "-", None),
        ("not measured", "met", None),
    ],
)
def test_a_verdict_is_that_of_its_value_and_target(value: str, verdict: str, expected: str | None) -> None:
    found = told(VERDICTS, subject(own(gsm8k=value, verdict=verdict)))
    assert [(code, wanted) for code, _, _, wanted in found] == ([("R13", expected)] if expected else [])


def test_a_threshold_of_another_metric_is_told_from_a_wrong_one() -> None:
    for printed, words in {"23.050071": "the threshold of another metric", "40": "a wrong threshold"}.items():
        (finding,) = LOWS(subject(of_cm(accuracy=(f"`ROUGE1`: `45.2`, {REQUIRED} `>= {printed}`",))))
        assert finding.message == f"ROUGE1 is held against {words}"
