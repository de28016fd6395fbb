"""Rules that no official checker has, of how a run was made, over single values of the logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.rules import extra_runs
from assay.mlperf.checker.subjects import LoggedRun
from tests.mlperf.checker.parts import Parts, only


@pytest.mark.parametrize(
    ("rule", "accuracy", "key", "good", "bad"),
    [
        (extra_runs.performance_mode, False, "effective_test_mode", "SubmissionRun", "AccuracyOnly"),
        (extra_runs.accuracy_mode, True, "effective_test_mode", "AccuracyOnly", "PerformanceOnly"),
        (extra_runs.accuracy_seeds, True, "effective_qsl_rng_seed", None, 1),
        (extra_runs.user_conf, False, "effective_min_duration_ms", 600_000, 600_100),
        (extra_runs.same_sut, False, "sut_name", None, "another"),
        (extra_runs.fresh, False, "test_datetime", "2025-06-01T00:00:00Z", "2024-12-01T00:00:00Z"),
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


def test_audit_settings_are_found_in_the_warnings(parts: Parts) -> None:
    run = parts.run()
    warned = replace(run, log=replace(run.log, warnings=("Found Audit Config file", "something else")))
    assert only(extra_runs.audit_settings(warned)).found == "Found Audit Config file"
