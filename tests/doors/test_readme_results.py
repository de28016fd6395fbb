"""Printed results as claims and figures, in CM's form and in Assay's."""

from __future__ import annotations

import pytest

from assay.doors.readme_results import Claim, ReportedFigure, read_results


def claim(line: str) -> Claim | None:
    found = read_results(["### Accuracy Results", line]).claims
    return found[0] if found else None


def figure(line: str) -> ReportedFigure | None:
    found = read_results(["### Performance Results", line]).figures
    return found[0] if found else None


@pytest.mark.parametrize(
    ("line", "metric", "value", "low", "high"),
    [
        (
            "`ROUGE1`: `45.2`, Required accuracy for closed division `>= 45.03619`",
            "rouge1",
            45.2,
            45.03619,
            None,
        ),
        (
            "`TOKENS_PER_SAMPLE`: `145.0`, Required accuracy for closed division `>= 131.31` and `<= 160.49`",
            "tokens_per_sample",
            145.0,
            131.31,
            160.49,
        ),
        ("* `mbxp_accuracy`: `0.0`", "mbxp", 0.0, None, None),
        ("gsm8k_accuracy: 73.6", "gsm8k", 73.6, None, None),
        ("`GEN_LEN`: `4,271,992`", "gen_len", 4271992.0, None, None),
        ("`F1`: `-1.5e-3`", "F1", -0.0015, None, None),
    ],
)
def test_a_line_of_cm_is_a_claim(
    line: str, metric: str, value: float, low: float | None, high: float | None
) -> None:
    found = claim(line)
    assert found is not None
    assert (found.metric, found.value, found.low, found.high, found.line) == (metric, value, low, high, 2)


@pytest.mark.parametrize(
    "line", ["", "no figure here", "`ROUGE1`: `high`", "`ROUGE1` 45.2", "ROUGE1: 45.2 and more"]
)
def test_another_line_claims_nothing(line: str) -> None:
    assert claim(line) is None


@pytest.mark.parametrize(
    ("row", "value", "unit", "n", "low", "high", "verdict"),
    [
        ("73.6 % (n = 5000, 95 %: 72.3 to 74.8) | >= 73.042 | met", 73.6, "%", 5000, 73.042, None, "met"),
        ("73.6 % | >= 73.042 | MISSED", 73.6, "%", None, 73.042, None, "MISSED"),
        (
            "145 tokens/sample (n = 15000) | 131.31 to 160.49 | met",
            145.0,
            "tokens/sample",
            15000,
            131.31,
            160.49,
            "met",
        ),
        ("45.2 | - | not judged", 45.2, "", None, None, None, "not judged"),
        ("not measured | >= 73.042 | -", None, "", None, 73.042, None, "-"),
        ("not measured: no sandbox | - | -", None, "", None, None, None, "-"),
    ],
)
def test_a_row_of_assay_is_a_claim(
    row: str,
    value: float | None,
    unit: str,
    n: int | None,
    low: float | None,
    high: float | None,
    verdict: str,
) -> None:
    found = claim(f"| GSM8K accuracy | {row} |")
    assert found is not None
    assert (found.metric, found.printed) == ("gsm8k", "GSM8K accuracy")
    assert (found.value, found.unit, found.n, found.low, found.high, found.verdict) == (
        value,
        unit,
        n,
        low,
        high,
        verdict,
    )


@pytest.mark.parametrize(
    "row",
    ["| metric | value | target | verdict |", "|---|---|---|---|", "| a | 1 | 2 |", "| a | 1 | 2 | 3 | 4 |"],
)
def test_heads_and_rows_of_another_width_claim_nothing(row: str) -> None:
    assert claim(row) is None


@pytest.mark.parametrize(
    ("line", "label", "value", "unit"),
    [
        ("`Samples per second`: `0.5`", "Samples per second", 0.5, ""),
        ("| Tokens per second | 869.38 tokens/s |", "Tokens per second", 869.38, "tokens/s"),
        ("| p99 first token | 9525.3 ms (limit 2000 ms: exceeded) |", "p99 first token", 9525.3, "ms"),
        ("| p99 per output token | 12 ms (limit 200 ms) |", "p99 per output token", 12.0, "ms"),
    ],
)
def test_a_performance_line_is_a_figure_with_its_unit(line: str, label: str, value: float, unit: str) -> None:
    found = figure(line)
    assert found == ReportedFigure(label, value, 2, None, unit)


def test_each_result_belongs_to_the_scenario_whose_heading_is_above_it() -> None:
    results = read_results(
        [
            "| GSM8K accuracy | 1 % | - | - |",
            "## Offline",
            "### Accuracy",
            "| GSM8K accuracy | 2 % | - | - |",
            "### Performance",
            "| Tokens per second | 3 tokens/s |",
            "LoadGen says VALID.",
            "## Server",
            "### Performance",
            "| Tokens per second | 4 tokens/s |",
            "LoadGen says INVALID: too few queries.",
            "### Notes",
            "| Tokens per second | 5 tokens/s |",
        ]
    )
    assert [(c.scenario, c.value, c.line) for c in results.claims] == [("Offline", 2.0, 4)]
    assert [(f.scenario, f.value) for f in results.figures] == [("Offline", 3.0), ("Server", 4.0)]
    assert [(v.scenario, v.word, v.line) for v in results.validities] == [
        ("Offline", "VALID", 7),
        ("Server", "INVALID", 11),
    ]
