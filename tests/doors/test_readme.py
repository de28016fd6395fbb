"""A published report as text becomes its command and its claims."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assay.doors import readme
from tests import published


def test_claims_come_with_their_thresholds_and_lines() -> None:
    claims = readme.read(published.report()).claims
    assert [(c.metric, c.value, c.low, c.high) for c in claims] == [
        ("tokens_per_sample", 300.5, 45.03619, None),
        ("gsm8k", 50.0, 23.05007, None),
        ("mbxp", 0.0, 30.05788, None),
    ]
    line = published.report().splitlines()[claims[0].line - 1]
    assert line.startswith("`TOKENS_PER_SAMPLE`")


def test_an_upper_limit_is_read_where_it_is_printed() -> None:
    claim = readme.read(published.right()).claims[3]
    assert (claim.low, claim.high) == (131.31, 160.49)


def test_the_command_is_read_option_by_option_the_odd_spellings_included() -> None:
    report = readme.read(published.report())
    assert report.words == ("cm", "run", "script")
    assert len(report.options) == len(published.COMMAND)
    assert report.option("env.CM_MLPERF_LOADGEN_SCENARIOS,") == "Offline"
    assert report.env("MLPERF_INFERENCE_VERSION") == "4.1-dev"
    assert "float16" in report.variations
    assert report.repeated() == {"env.OUTPUT_BASE_DIR": ("/first", "/second")}
    assert report.option("env.OUTPUT_BASE_DIR") == "/second"


def test_precision_and_performance_are_read() -> None:
    report = readme.read(published.report())
    assert report.precision == "fp32"
    assert [(f.label, f.value) for f in report.figures] == [("Samples per second", 0.5)]


def test_a_text_that_is_no_report_is_said_to_be_none() -> None:
    assert not readme.read("# A project\n\nHello.\n").is_report
    assert not readme.read("").is_report


@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    readme.read(text)
    readme.read(published.report().replace("300.5", text))
    readme.read(f"## Accuracy Results\n`x`: `{text}`\n## Run\ncm run script {text}")
