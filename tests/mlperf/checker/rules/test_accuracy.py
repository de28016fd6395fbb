"""Rules of accuracy.txt and the accuracy log, at their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rules import accuracy
from tests.mlperf.checker.parts import Parts, only


@pytest.mark.parametrize(
    ("value", "found"), [(72.95, None), (72.9, "72.9"), (None, "no such value")], ids=str
)
def test_a_metric_is_held_against_its_target(parts: Parts, value: float | None, found: str | None) -> None:
    faults = list(accuracy.targets(parts.scored("gsm8k", value)))
    assert [fault.found for fault in faults] == ([found] if found else [])


def test_in_open_a_missing_metric_is_a_warning_and_a_low_one_nothing(open_parts: Parts) -> None:
    assert list(accuracy.targets(open_parts.scored("gsm8k", 1.0))) == []
    assert only(accuracy.targets(open_parts.scored("gsm8k", None))).severity is Severity.WARNING


@pytest.mark.parametrize(("value", "is_fault"), [(160.49, False), (160.5, True)])
def test_an_upper_limit_may_be_reached(parts: Parts, value: float, is_fault: bool) -> None:
    assert bool(list(accuracy.upper_limits(parts.scored("tokens_per_sample", value)))) is is_fault


@pytest.mark.parametrize(("count", "is_fault"), [(15_000, False), (14_999, True), (15_001, True)])
def test_the_whole_set_is_answered_once(parts: Parts, count: int, is_fault: bool) -> None:
    run = parts.run(accuracy=True, effective_accuracy_sample_count=count)
    assert bool(list(accuracy.whole_dataset(run))) is is_fault


def test_errors_of_the_accuracy_log_are_faults_there(parts: Parts) -> None:
    run = parts.run(accuracy=True)
    assert list(accuracy.loadgen_errors(run)) == []
    fault = only(accuracy.loadgen_errors(replace(run, log=replace(run.log, errors=("late",)))))
    assert (fault.path, fault.found) == (parts.entry().accuracy_log, "late")
