"""Which compliance tests are run, and what they need before anything runs."""

from __future__ import annotations

from assay.mlperf.rounds import round as rounds

GPT_OSS = rounds.load("v6.1").workload("gpt-oss-120b")


def test_the_round_says_which_tests_and_their_limits() -> None:
    for name in ("v6.0", "v6.1"):
        rules = rounds.load(name).workload("gpt-oss-120b")
        assert rules.compliance == ("TEST07", "TEST09")
        assert rules.compliance_limits == {
            "test07_accuracy_threshold": 60.698,
            "test09_min_output_tokens": 1150.38,
            "test09_max_output_tokens": 1406.02,
        }
