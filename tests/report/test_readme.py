from __future__ import annotations

from assay.report import readme, summary
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
    whole = {"samples": 15000, "rows": 15000, "sha256": "0" * 64, "is_whole_set": True}
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


def test_server_latencies_are_told_in_milliseconds() -> None:
    log = "Server/performance/run_1/mlperf_log_detail.txt"
    ttft = fakes.Figure("ttft_p99", 1500.0, "ms", 10, log)
    run = fakes.performance(scenario="Server", figures=(ttft,))
    text = readme.render(fakes.result(run))
    assert "| First token, p99 | 1500 ms |" in text
    assert "| Time per output token, p99 | not measured |" in text


def test_an_interrupted_run_says_so_first() -> None:
    text = summary.render(fakes.result(status="INTERRUPTED", reason="stopped by the user"))
    assert text.splitlines()[0].split(": ", 1)[1].startswith("INTERRUPTED: stopped by the user")


def test_loadgens_verdict_on_a_short_run_says_by_what_it_was_judged() -> None:
    short, whole = ({"style": style} for style in ("test", "valid"))
    assert "LoadGen says VALID (by the settings of a test-style run" in readme.render(
        fakes.result(asked=short)
    )
    assert "LoadGen says VALID." in readme.render(fakes.result(asked=whole))
