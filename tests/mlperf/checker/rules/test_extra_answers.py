"""Rules that no official checker has, of what a run answered, over single values of the logs."""

from __future__ import annotations

import hashlib

import pytest

from assay.mlperf.checker.rules import extra_answers
from assay.mlperf.checker.subjects import AnsweredEntry
from tests.mlperf.checker.parts import Parts, only


@pytest.mark.parametrize(("share", "is_fault"), [(1.09, False), (1.11, True), (0.89, True)])
def test_answers_of_both_runs_are_of_one_length(parts: Parts, share: float, is_fault: bool) -> None:
    run = parts.run(result_tokens_per_second=145.0 * share, result_samples_per_second=1.0)
    assert bool(list(extra_answers.same_length(run))) is is_fault


@pytest.mark.parametrize(("value", "is_fault"), [(159.3, False), (159.4, True), (160.5, False)])
def test_the_written_limit_is_told_below_the_checkers(parts: Parts, value: float, is_fault: bool) -> None:
    """Above the checker's own limit A2 is the finding."""
    assert bool(list(extra_answers.written_limits(parts.scored("tokens_per_sample", value)))) is is_fault


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_hash_is_that_of_the_log_with_either_line_end(parts: Parts, end: bytes) -> None:
    entry, answers = parts.entry(), end.join([b"[", b"]", b""])
    digest = hashlib.sha256(b"[\n]\n").hexdigest()
    vars(entry)["accuracy_text"] = f"hash={digest}\n"
    assert list(extra_answers.hash_of_log(AnsweredEntry(entry, answers))) == []
    fault = only(extra_answers.hash_of_log(AnsweredEntry(entry, b"[ ]" + end)))
    assert fault.found == digest


@pytest.mark.parametrize(("answers", "is_fault"), [(b"[{}]", False), (b"[{},]", True), (b"[", False)])
def test_a_small_log_is_json(parts: Parts, answers: bytes, is_fault: bool) -> None:
    assert bool(list(extra_answers.answers_are_json(AnsweredEntry(parts.entry(), answers)))) is is_fault
