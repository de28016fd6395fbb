"""TEST09: the mean length of the logged answers between two limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.compliance import test09


def log(folder: Path, lengths: list[int]) -> Path:
    path = folder / "mlperf_log_accuracy.json"
    rows = [{"seq_id": i, "qsl_idx": 0, "data": "0D000000" * length} for i, length in enumerate(lengths)]
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.parametrize(
    ("lengths", "passed"),
    [
        ([10, 20], True),
        ([15, 15, 15], True),
        ([0, 30], True),
        ([14, 15], False),
        ([15, 16], False),
        ([0], False),
    ],
)
def test_the_mean_over_all_entries_counts_and_both_limits_are_inclusive(
    tmp_path: Path, lengths: list[int], passed: bool
) -> None:
    verdict = test09.verify(log(tmp_path, lengths), 15.0, 15.0)
    assert verdict.passed is passed
    assert (verdict.samples, verdict.shortest, verdict.longest) == (len(lengths), min(lengths), max(lengths))
    assert verdict.text().splitlines()[-1] == ("TEST PASS" if passed else "TEST FAIL")
    assert bool(verdict.reasons) is not passed


def test_the_file_says_the_mean_and_which_limit_it_misses(tmp_path: Path) -> None:
    verdict = test09.verify(log(tmp_path, [1, 2]), 1.75, 2.0)
    assert verdict.text().splitlines()[1:] == [
        "Mean output tokens: 1.50",
        "Min output tokens: 1",
        "Max output tokens: 2",
        "Min threshold: 1.75",
        "Max threshold: 2.0",
        "Min check pass: False",
        "Max check pass: True",
        "TEST FAIL",
    ]
    assert verdict.words == "FAILED: 1.50 tokens in the mean over 2 answers"
    assert verdict.reasons == ("the mean of 1.50 tokens is not between 1.75 and 2.0",)


def test_a_log_without_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="holds no answers"):
        test09.verify(log(tmp_path, []), 1, 2)
    with pytest.raises(ArtifactError, match="no accuracy log"):
        test09.verify(tmp_path / "nothing.json", 1, 2)
