"""LoadGen's early-stopping rule: its table, and what a part of a run says of the whole."""

from __future__ import annotations

import math
import random

import pytest

from assay.mlperf.rounds.early_stopping import (
    Judgement,
    allowed_over,
    chance_of_at_most,
    judge,
    least_queries,
    share_bounds,
)

LEAST = {0: 459, 1: 662, 2: 838, 3: 1001, 5: 1307, 10: 2010, 20: 3304, 50: 6898, 100: 12571, 200: 23527}
ALLOWED = {
    662: 1, 1000: 2, 2000: 9, 4388: 28, 5000: 33, 6396: 45, 8313: 62, 13368: 107, 15000: 121, 24576: 209, 49152: 440,
}  # fmt: skip


@pytest.mark.parametrize(("over", "least"), LEAST.items())
def test_so_many_late_queries_need_a_run_this_long(over: int, least: int) -> None:
    assert least_queries(over) == least


@pytest.mark.parametrize(("n", "allowed"), ALLOWED.items())
def test_a_run_this_long_may_have_so_many_late_queries(n: int, allowed: int) -> None:
    assert allowed_over(n) == allowed


def test_a_run_below_459_queries_never_passes() -> None:
    assert allowed_over(458) is None
    assert allowed_over(459) == 0
    assert judge(0, 458, 458) is Judgement.FAIL


def test_the_rule_and_its_inverse_agree_at_every_length() -> None:
    chosen = random.Random(7)
    for n in (chosen.randrange(459, 30_000) for _ in range(60)):
        allowed = allowed_over(n)
        assert allowed is not None
        assert least_queries(allowed) <= n < least_queries(allowed + 1)


def test_the_binomial_sum_is_exact_where_it_can_be_added_up() -> None:
    exact = sum(math.comb(40, k) * 0.03**k * 0.97 ** (40 - k) for k in range(4))
    assert chance_of_at_most(3, 40, 0.03) == pytest.approx(exact, rel=1e-12)
    assert chance_of_at_most(40, 40, 0.5) == 1
    assert chance_of_at_most(2, 40, 1.0) == 0


def test_the_bounds_of_a_share_are_clopper_and_pearsons() -> None:
    low, high = share_bounds(0, 100)
    assert low == 0
    assert high == pytest.approx(1 - 0.05 ** (1 / 100))
    low, high = share_bounds(100, 100)
    assert (low, high) == (pytest.approx(0.05 ** (1 / 100)), 1)
    low, high = share_bounds(3, 500)
    assert chance_of_at_most(3, 500, high) == pytest.approx(0.05)
    assert 1 - chance_of_at_most(2, 500, low) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("over", "seen", "verdict"),
    [
        (122, 300, Judgement.FAIL),  # more than the whole run may have, however few were seen
        (0, 100, Judgement.UNSURE),
        (0, 2000, Judgement.PASS),
        (16, 2000, Judgement.UNSURE),  # the share allowed, within its doubt
        (121, 15000, Judgement.PASS),
        (122, 15000, Judgement.FAIL),
    ],
)
def test_a_part_is_judged_by_what_the_whole_run_may_have(over: int, seen: int, verdict: Judgement) -> None:
    assert judge(over, seen, 15_000) is verdict
