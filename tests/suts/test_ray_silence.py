from __future__ import annotations

import pytest

from assay.suts.ray_silence import Silences


def test_a_replica_that_says_nothing_is_lost_after_the_limit() -> None:
    silences = Silences(2, 60.0)
    assert silences.why_lost(0, 1000.0, 0, True) == ""  # it is being started
    silences.heard(0, 100.0)
    silences.heard(1, 130.0)
    assert silences.why_lost(0, 160.0, 0, True) == ""
    assert silences.why_lost(0, 161.0, 0, False) == "nothing was heard of it for 61 s"
    assert silences.why_lost(1, 161.0, 0, True) == ""


def after_answers_of_the_other(longest_s: float) -> Silences:
    """Replica 0 holds queries from second 10 on and answers none; replica 1 answers every `longest_s`."""
    silences = Silences(2, 60.0)
    for rank in (0, 1):
        silences.given(rank, 10.0, 0)
    for turn in range(1, 4):
        silences.answered(1, 10.0 + turn * longest_s)
    return silences


@pytest.mark.parametrize(("longest_s", "limit_s"), [(1.0, 60.0), (5.0, 100.0)])
def test_a_replica_that_answers_nothing_while_others_do_is_lost(longest_s: float, limit_s: float) -> None:
    silences = after_answers_of_the_other(longest_s)
    for now in (9.0 + limit_s, 11.0 + limit_s):
        silences.heard(0, now)  # its actor is well
    assert silences.why_lost(0, 9.0 + limit_s, 7, True) == ""
    said = silences.why_lost(0, 11.0 + limit_s, 7, True)
    assert said.startswith("it answered none of its 7 queries") and f"more than {longest_s:g} s" in said


def test_nobody_hangs_who_holds_nothing_or_is_alone_or_before_anyone_answered() -> None:
    silences = after_answers_of_the_other(1.0)
    silences.heard(0, 500.0)
    assert silences.why_lost(0, 500.0, 0, True) == ""
    assert silences.why_lost(0, 500.0, 7, False) == ""
    unknown = Silences(2, 60.0)
    unknown.given(0, 1.0, 0)
    unknown.heard(0, 9000.0)
    assert unknown.why_lost(0, 9000.0, 7, True) == ""


def test_a_wait_begins_with_the_first_query_after_none() -> None:
    silences = after_answers_of_the_other(1.0)
    silences.given(1, 400.0, 0)
    silences.given(1, 450.0, 3)
    silences.heard(1, 461.0)
    assert silences.why_lost(1, 459.0, 3, True) == "" != silences.why_lost(1, 461.0, 3, True)
