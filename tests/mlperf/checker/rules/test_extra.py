"""Rules that no official checker has, over single values of the logs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.rules import extra
from assay.mlperf.checker.subjects import AnsweredEntry, LoggedRun
from tests.mlperf.checker.parts import Parts, only


@pytest.mark.parametrize(
    ("rule", "accuracy", "key", "good", "bad"),
    [
        (extra.performance_mode, False, "effective_test_mode", "SubmissionRun", "AccuracyOnly"),
        (extra.accuracy_mode, True, "effective_test_mode", "AccuracyOnly", "PerformanceOnly"),
        (extra.accuracy_seeds, True, "effective_qsl_rng_seed", None, 1),
        (extra.user_conf, False, "effective_min_duration_ms", 600_000, 600_100),
        (extra.same_sut, False, "sut_name", None, "another"),
        (extra.fresh, False, "test_datetime", "2025-06-01T00:00:00Z", "2024-12-01T00:00:00Z"),
    ],
)
def test_a_logged_value_passes_or_is_one_fault(
    parts: Parts,
    rule: Callable[[LoggedRun], Iterator[Fault]],
    accuracy: bool,
    key: str,
    good: Any,
    bad: Any,
) -> None:
    assert list(rule(parts.run(accuracy=accuracy, **{key: good}))) == []
    fault = only(rule(parts.run(accuracy=accuracy, **{key: bad})))
    assert str(bad)[:7] in fault.found or str(bad) in fault.expected


@pytest.mark.parametrize(("share", "is_fault"), [(1.09, False), (1.11, True), (0.89, True)])
def test_answers_of_both_runs_are_of_one_length(parts: Parts, share: float, is_fault: bool) -> None:
    run = parts.run(result_tokens_per_second=145.0 * share, result_samples_per_second=1.0)
    assert bool(list(extra.same_length(run))) is is_fault


def test_audit_settings_are_found_in_the_warnings(parts: Parts) -> None:
    run = parts.run()
    warned = replace(run, log=replace(run.log, warnings=("Found Audit Config file", "something else")))
    assert only(extra.audit_settings(warned)).found == "Found Audit Config file"


@pytest.mark.parametrize(("value", "is_fault"), [(159.3, False), (159.4, True), (160.5, False)])
def test_the_written_limit_is_told_below_the_checkers(parts: Parts, value: float, is_fault: bool) -> None:
    """Above the checker's own limit A2 is the finding."""
    assert bool(list(extra.written_limits(parts.scored("tokens_per_sample", value)))) is is_fault


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_hash_is_that_of_the_log_with_either_line_end(parts: Parts, end: bytes) -> None:
    entry, answers = parts.entry(), end.join([b"[", b"]", b""])
    digest = hashlib.sha256(b"[\n]\n").hexdigest()
    vars(entry)["accuracy_text"] = f"hash={digest}\n"
    assert list(extra.hash_of_log(AnsweredEntry(entry, answers))) == []
    fault = only(extra.hash_of_log(AnsweredEntry(entry, b"[ ]" + end)))
    assert fault.found == digest


@pytest.mark.parametrize(("answers", "is_fault"), [(b"[{}]", False), (b"[{},]", True), (b"[", False)])
def test_a_small_log_is_json(parts: Parts, answers: bytes, is_fault: bool) -> None:
    assert bool(list(extra.answers_are_json(AnsweredEntry(parts.entry(), answers)))) is is_fault
