from __future__ import annotations

import pytest

from assay.mlperf.rounds.early_stopping import allowed_over
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run import pace_model
from assay.mlperf.run.pace_model import SeenPace, paces_s

SEEDS = Seeds(1, 2, 3)


def test_streams_that_meet_slow_each_other_while_they_do() -> None:
    alone, apart = paces_s([0.0, 10.0], 0.1, 0.5, 20)
    assert alone == pytest.approx((2.0, 0.1)) and apart == pytest.approx((12.0, 0.1))
    # Together from 1 s on, each at 0.15 s: the first has 10 of its 20 tokens left, 1.5 s; then the other is alone.
    first, second = paces_s([0.0, 1.0], 0.1, 0.5, 20)
    assert first == pytest.approx((2.5, 0.125)) and second == pytest.approx((3.5, 0.125))
    assert all(each == pytest.approx((2.0, 0.2)) for each in paces_s([0.0] * 3, 0.1, 0.5, 10))


@pytest.mark.parametrize("slowing", [0.1, 0.3])
@pytest.mark.parametrize("share", [0.2, 1.0])
def test_the_slowing_and_the_best_rate_are_found_from_what_a_run_shows(slowing: float, share: float) -> None:
    qps, final, allowed = 30.0, 1800, 7
    schedule = pace_model._schedule(SEEDS, qps, final)
    found = paces_s(schedule, 0.004, slowing, 20)
    at_s = share * schedule[-1]
    paces = [pace for end, pace in found if end <= at_s]
    seen = SeenPace(sorted(paces)[-1 - allowed], min(paces), 20, at_s)
    fitted = pace_model.fitted_slowing(SEEDS, qps, final, allowed, seen)
    assert fitted == pytest.approx(slowing, rel=0.05)
    limit = 1.2 * seen.decisive_s
    best = pace_model.highest_rate(SEEDS, qps, seen, fitted, limit, lambda rate: int(60 * rate))
    assert best is not None
    count = int(60 * best)
    allowed = allowed_over(count) or 0
    at_best = paces_s(pace_model._schedule(SEEDS, best, count), 0.004, slowing, 20)
    assert sorted(pace for _, pace in at_best)[-1 - allowed] == pytest.approx(limit, rel=0.02)


def test_a_server_that_no_rate_near_would_suit_foretells_none() -> None:
    seen = SeenPace(1.5, 0.18, 20, 10.0)
    assert pace_model.highest_rate(SEEDS, 30.0, seen, 5.0, 0.2, lambda rate: int(60 * rate)) is None
