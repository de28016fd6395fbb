"""TEST06: what passes, what fails, and what the official script would have passed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.compliance import test06
from assay.mlperf.compliance.verdict import file_verdict

GOOD = [10, 11, 12, 2]


def entry(
    index: int, ids: list[int], first: list[int] | None = None, count: int | None = None
) -> dict[str, Any]:
    def encode(values: list[int]) -> str:
        return b"".join(v.to_bytes(4, "little") for v in values).hex().upper()

    return {
        "seq_id": index,
        "qsl_idx": index,
        "data": encode(ids),
        "token_data": encode(ids[:1] if first is None else first),
        "token_count": len(ids) if count is None else count,
    }


def log(folder: Path, entries: list[dict[str, Any]]) -> Path:
    path = folder / "mlperf_log_accuracy.json"
    path.write_text(json.dumps(entries))
    return path


def a_hundred(**last: Any) -> list[dict[str, Any]]:
    return [entry(i, GOOD) for i in range(99)] + [entry(99, **({"ids": GOOD} | last))]


@pytest.mark.parametrize(("scenario", "first"), [("Offline", "Skipped"), ("Server", "True")])
def test_a_hundred_good_answers_pass_in_the_words_that_checkers_read(
    tmp_path: Path, scenario: str, first: str
) -> None:
    verdict = test06.verify(log(tmp_path, a_hundred()), scenario)
    assert verdict.passed
    assert verdict.text().splitlines() == [
        f"First token check pass: {first}",
        "EOS check pass: True",
        "Sample length check pass: True",
        "TEST06 verification complete",
    ]


def test_another_first_token_fails_server_and_is_not_looked_at_offline(tmp_path: Path) -> None:
    path = log(tmp_path, a_hundred(first=[9]))
    assert test06.verify(path, "Server").first_token is False
    assert test06.verify(path, "Offline").passed


def test_a_server_answer_without_first_token_fails(tmp_path: Path) -> None:
    assert not test06.verify(log(tmp_path, a_hundred(first=[])), "Server").passed


@pytest.mark.parametrize(
    ("ids", "passes"), [([5, 2], True), ([5, 2, 2], False), ([2, 2], True), ([2], True), ([2, 5, 2], True)]
)
def test_an_answer_ends_in_at_most_one_end_of_sequence_id(
    tmp_path: Path, ids: list[int], passes: bool
) -> None:
    assert test06.verify(log(tmp_path, a_hundred(ids=ids)), "Offline").eos is passes


def test_a_wrong_token_count_fails_and_names_the_sample(tmp_path: Path) -> None:
    verdict = test06.verify(log(tmp_path, a_hundred(count=5)), "Offline")
    assert verdict.length is False
    assert verdict.reasons == ("length: 1 of 100 answers differ (samples 99)",)


@pytest.mark.parametrize("count", [0, 1, 99])
def test_an_empty_or_short_log_fails_though_the_official_script_passes_it(tmp_path: Path, count: int) -> None:
    verdict = test06.verify(log(tmp_path, a_hundred()[:count]), "Offline")
    assert not verdict.passed
    assert "verification failed" in verdict.text()
    assert verdict.reasons == (f"{count} sampled answers, at least 100 are needed",)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"data": "zz"}]', '[{"qsl_idx": 1}]', "[" * 5000])
def test_what_is_no_log_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "log.json"
    path.write_text(content)
    with pytest.raises(ArtifactError, match="no accuracy log"):
        test06.verify(path, "Offline")


def test_the_filed_test_holds_the_verdict_and_the_whole_log(tmp_path: Path) -> None:
    source = log(tmp_path, a_hundred())
    verdict = test06.verify(source, "Server")
    file_verdict(verdict, source, tmp_path / "TEST06")
    assert (tmp_path / "TEST06/verify_accuracy.txt").read_text() == verdict.text()
    assert (tmp_path / "TEST06/accuracy/mlperf_log_accuracy.json").read_bytes() == source.read_bytes()
