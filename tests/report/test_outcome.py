from __future__ import annotations

import dataclasses

from assay.config import Mode
from assay.mlperf.record.result import RunValidity, Status
from assay.mlperf.run import target_rate
from assay.mlperf.sut.interface import Used
from assay.report import outcome, summary, words
from tests import fakes

FAULTS = ("3 of 300 answers failed: the stream broke off before its end",)


def test_a_run_whose_answers_failed_is_invalid_whatever_loadgen_says() -> None:
    found = fakes.result(fakes.performance(faults=FAULTS), fakes.accuracy(faults=FAULTS))
    came_to = outcome.of(found)
    assert came_to.invalid == ("Offline", "Offline") and came_to.valid == ()
    assert not came_to.is_good
    assert words.validity(found, found.runs[0]) == f"INVALID, whatever LoadGen says: {FAULTS[0]}"
    assert summary.render(found, 200).count("INVALID, whatever LoadGen says") == 2


def test_an_accuracy_run_without_scores_is_not_good_and_is_named() -> None:
    run = fakes.performance(mode=Mode.ACCURACY, validity=RunValidity.NOT_JUDGED)
    came_to = outcome.of(fakes.result(fakes.performance(), run))
    assert not came_to.is_good and came_to.unscored == ("Offline",)
    assert str(came_to) == "Offline answers not scored, Offline VALID"


def test_a_run_that_can_have_no_scores_is_not_called_unscored() -> None:
    used = Used("endpoint", "a server", "none", "cpu", 1, None, performance_only="no token ids")
    found = fakes.result(fakes.performance(mode=Mode.ACCURACY, validity=RunValidity.NOT_JUDGED), used=used)
    assert outcome.of(found).unscored == ()


def test_no_other_rate_is_chosen_for_a_run_whose_answers_failed() -> None:
    run = fakes.performance(validity=RunValidity.INVALID, seconds=1.0, effective={"min_duration_ms": 60_000})
    assert target_rate.better(run) is not None
    assert target_rate.better(fakes.performance(validity=RunValidity.INVALID, faults=FAULTS)) is None


def test_a_run_that_did_not_end_is_not_good_and_its_line_says_so_first() -> None:
    stopped = fakes.result(fakes.performance(), status=Status.INTERRUPTED, reason="stopped by the user")
    came_to = outcome.of(stopped)
    assert not came_to.is_good and came_to.valid == ("Offline",)
    assert str(came_to) == "INTERRUPTED: stopped by the user; of what was finished: Offline VALID"
    early = dataclasses.replace(stopped, runs=(), status=Status.FAILED, reason="the SUT has ended")
    assert str(outcome.of(early)) == "FAILED: the SUT has ended"
    assert str(outcome.of(dataclasses.replace(early, status=Status.RUNNING, reason=""))) == "RUNNING"


def test_the_line_of_a_fake_says_so_wherever_it_is_pasted() -> None:
    made = fakes.result()
    told = str(outcome.of(made))
    assert "FAKE" not in told
    assert str(outcome.of(dataclasses.replace(made, is_fake=True))) == f"FAKE: {told}"
