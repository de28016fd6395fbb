"""Which compliance tests are run, and what they need before anything runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from assay.bench import comply
from assay.config import BenchmarkConfig, Paths
from assay.ground.errors import ConfigError
from assay.mlperf.rounds import round as rounds

GPT_OSS = rounds.load("v6.1").workload("gpt-oss-120b")


def test_a_test_with_questions_of_its_own_needs_their_file_before_the_run() -> None:
    asked = BenchmarkConfig(workload="gpt-oss-120b")
    with pytest.raises(ConfigError, match="TEST07") as caught:
        comply.refuse_missing(asked, GPT_OSS)
    assert caught.value.hint.startswith("--compliance-dataset FILE")
    named = dataclasses.replace(asked, paths=Paths(compliance_dataset=Path("gpqa.parquet")))
    comply.refuse_missing(named, GPT_OSS)
    comply.refuse_missing(asked, rounds.load("v6.1").workload("deepseek-r1"))


@pytest.mark.parametrize(
    ("test", "samples", "is_refused"),
    [
        ("TEST06", 1, False),
        ("TEST07", 989, True),
        ("TEST07", 990, False),
        ("TEST09", 6395, True),
        ("TEST09", 6396, False),
    ],
)
def test_a_test_that_asks_each_sample_once_needs_them_all(test: str, samples: int, is_refused: bool) -> None:
    if not is_refused:
        comply._refuse_small(test, samples)
        return
    with pytest.raises(ConfigError, match=f"{test} asks"):
        comply._refuse_small(test, samples)


def test_the_round_says_which_tests_and_their_limits() -> None:
    for name in ("v6.0", "v6.1"):
        rules = rounds.load(name).workload("gpt-oss-120b")
        assert rules.compliance == ("TEST07", "TEST09")
        assert rules.compliance_limits == {
            "test07_accuracy_threshold": 60.698,
            "test09_min_output_tokens": 1150.38,
            "test09_max_output_tokens": 1406.02,
        }
