"""Which compliance tests are owed, and what they need before anything runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from assay.bench import compliance_due
from assay.config import BenchmarkConfig, ContainerRequest, Delivery, Division, Paths, SubmissionRequest
from assay.ground.errors import ConfigError
from assay.mlperf.rounds import round as rounds

CLOSED = BenchmarkConfig(submission=SubmissionRequest(division=Division.CLOSED))
GPT_OSS = rounds.load("v6.1").workload("gpt-oss-120b")


def test_they_are_for_closed_submissions_outside_of_containers() -> None:
    assert compliance_due.is_due(CLOSED, Delivery(compliance=True))
    assert not compliance_due.is_due(CLOSED, Delivery())
    assert not compliance_due.is_due(BenchmarkConfig(), Delivery(compliance=True))
    with pytest.raises(ConfigError, match="in a container are not possible"):
        compliance_due.is_due(CLOSED, Delivery(compliance=True, container=ContainerRequest()))


def test_a_round_that_names_no_test_owes_the_usual_one() -> None:
    assert compliance_due.tests_of(GPT_OSS) == ("TEST07", "TEST09")
    assert compliance_due.tests_of(dataclasses.replace(GPT_OSS, compliance=())) == ("TEST06",)


def test_a_test_with_questions_of_its_own_needs_their_file_before_the_run() -> None:
    asked = BenchmarkConfig(workload="gpt-oss-120b")
    with pytest.raises(ConfigError, match="TEST07") as caught:
        compliance_due.refuse_missing(asked, GPT_OSS)
    assert caught.value.hint.startswith("--compliance-dataset FILE")
    named = dataclasses.replace(asked, paths=Paths(compliance_dataset=Path("gpqa.parquet")))
    compliance_due.refuse_missing(named, GPT_OSS)
    compliance_due.refuse_missing(asked, rounds.load("v6.1").workload("deepseek-r1"))


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
        compliance_due.refuse_small(test, samples)
        return
    with pytest.raises(ConfigError, match=f"{test} asks"):
        compliance_due.refuse_small(test, samples)
