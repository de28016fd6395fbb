"""The samples that a plan counts, with the dataset here and away."""

from __future__ import annotations

import dataclasses

import pytest

from assay import suts
from assay.bench import expected_samples, fetching
from assay.bench.known_model import KnownModel
from assay.bench.preparation import Preparation
from assay.config import BenchmarkConfig, Device, Limits, Precision, Style
from assay.mlperf.data.dataset import Dataset
from assay.mlperf.data.sample import Sample
from assay.mlperf.run.job import Job
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.workloads.workload import Generation

ROWS = [Sample(i, str(i), "", "", (5,) * 10, "", (7,) * (20 + i), ()) for i in range(4)]


def job(workload: str, **changes: object) -> Job:
    config = dataclasses.replace(BenchmarkConfig(workload, sut="echo"), **changes)
    return fetching.job(config)


def prepared(made: Job, data: Dataset | None = None) -> Preparation:
    return Preparation(made.config, fetching.wanted(made.config), suts.of(made.config), made, data=data)


def test_a_named_set_that_cannot_be_read_is_not_counted_as_one_to_come() -> None:
    made = dataclasses.replace(prepared(job("mixtral-8x7b")), wanted=())
    assert expected_samples.of(made, KnownModel()) == expected_samples.ExpectedSamples()


def test_the_samples_of_the_dataset_are_those_that_the_job_uses() -> None:
    made = job("mixtral-8x7b", limits=Limits(samples=2), style=Style.FAST)
    found = expected_samples.of(prepared(made, Dataset(ROWS, "rows", "0")), KnownModel())
    assert [each.row for each in found.samples] == [0, 1]
    assert (list(found.tokens), list(found.shortest)) == ([21, 22], [])


@pytest.mark.parametrize(
    ("workload", "round_", "count", "longest", "tokens", "source"),
    [
        ("mixtral-8x7b", "v6.0", 15000, 2048, 145, "tokens_per_sample"),
        ("llama2-70b-99", "v5.1", 24576, 1024, 294, "tokens_per_sample"),
        ("deepseek-r1", "v6.1", 4388, 3136, 3886, "tokens_per_sample"),
        ("gpt-oss-120b", "v6.1", 6396, 15330, 1278, "TEST09"),
        ("llama3.1-8b", "v6.1", 13368, None, 128, "official set's mean"),
    ],
)
def test_of_a_set_that_is_away_the_rounds_count_and_documented_lengths(
    workload: str, round_: str, count: int, longest: int | None, tokens: int, source: str
) -> None:
    made = job(workload, round=round_, style=Style.FAST)
    found = expected_samples.of(prepared(made), KnownModel())
    longest = longest or made.workload.prompt_tokens_max
    assert {len(each.prompt_ids) for each in found.samples} == {longest}
    assert {len(each.prompt_ids) for each in found.shortest} == {1}
    assert (len(found.samples), len(found.shortest), list(found.tokens)) == (count, count, [tokens] * count)
    assert f"1 to {longest:,} tokens" in found.notes[0] and source in found.notes[0]
    assert f"no source gives the mean length of {workload}'s prompts" in found.notes[0]


def test_a_test_style_run_of_a_set_that_is_away_counts_its_own_few() -> None:
    assert len(expected_samples.away(job("mixtral-8x7b")).samples) == 10


def test_answers_that_an_option_cuts_short_are_counted_so() -> None:
    found = expected_samples.away(job("mixtral-8x7b"), 20)
    assert set(found.tokens) == {20} and "answers of 20 tokens (as was asked for)" in found.notes[0]
    assert set(expected_samples.away(job("mixtral-8x7b"), 2000).tokens) == {145}
    options = {"answer_tokens": 20}
    spec = SutSpec("engine", None, Device.CPU, Precision.INT8, 1, Generation(1, 2, 2), False, options)
    made = dataclasses.replace(prepared(job("mixtral-8x7b"), Dataset(ROWS, "rows", "0")), spec=spec)
    found = expected_samples.of(made, KnownModel())
    assert set(found.tokens) == {20} and not any("cuts no answer" in note for note in found.notes)
    for cut in (25, 5000):  # the longest row has 24 with its end
        options["answer_tokens"] = cut
        found = expected_samples.of(made, KnownModel())
        assert f"--answer-tokens {cut} cuts no answer: the longest is counted with 24 tokens" in found.notes


def test_without_a_length_of_answers_nothing_is_counted_and_the_missing_figure_is_named() -> None:
    made = job("mixtral-8x7b")
    bare = dataclasses.replace(
        made,
        rules=dataclasses.replace(made.rules, targets={}),
        workload=dataclasses.replace(made.workload, mean_answer_tokens={}),
    )
    found = expected_samples.away(bare)
    assert (list(found.samples), list(found.tokens)) == ([], [])
    assert found.notes == (
        "no time is said: the dataset is not here, and no source gives the mean length of mixtral-8x7b's answers",
    )
    without_job = Preparation(made.config, kind=suts.of(made.config))
    assert expected_samples.of(without_job, KnownModel()) == expected_samples.ExpectedSamples()
