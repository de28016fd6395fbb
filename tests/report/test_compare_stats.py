"""What the numbers of a comparison are worth on a machine that drifts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from assay.report import compare_stats as stats
from assay.report.compare_stats import BLOCKS, Blocks, RunSpread


def blocks(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Blocks:
    return Blocks(seconds, {"samples_per_s": np.ones(BLOCKS)}, {})


def drifting(
    chance: np.random.Generator, r: float, size: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds of blocks; their logarithm has correlation r from block to block and the standard deviation size."""
    steps = chance.normal(0, size * math.sqrt(1 - r * r), BLOCKS)
    level = [chance.normal(0, size)]
    for step in steps[1:]:
        level.append(r * level[-1] + step)
    return np.exp(level)


@pytest.mark.parametrize(("r", "least"), [(0.0, 90), (0.5, 85), (0.8, 80), (0.95, 80)])
def test_the_interval_of_blocks_holds_no_difference_though_the_machine_drifts(r: float, least: int) -> None:
    """95 of 100 are meant; 20 blocks do not show a long drift whole. Without their correlation it is 42 at r = 0.95."""
    chance = np.random.default_rng(7)
    covered = 0
    for _ in range(100):
        a, b = (blocks(drifting(chance, r, 0.1)) for _ in "ab")
        low, high = stats.ratio_interval(a, b, "samples_per_s") or (0, 0)
        covered += low <= 1 <= high
    assert covered >= least


def test_blocks_that_drift_are_worth_fewer() -> None:
    chance = np.random.default_rng(3)
    alone = np.mean([stats.effective_blocks(chance.normal(size=BLOCKS)) for _ in range(200)])
    drift = np.mean([stats.effective_blocks(np.cumsum(chance.normal(size=BLOCKS))) for _ in range(200)])
    assert alone > 13 and drift < 4
    assert stats.effective_blocks(np.ones(BLOCKS)) == BLOCKS  # nothing varies
    assert stats.effective_blocks(np.tile([1.0, -1.0], BLOCKS // 2)) == BLOCKS  # never more than there are
    assert stats.effective_blocks(np.arange(float(BLOCKS))) == 2  # a trend


def test_the_spread_of_earlier_runs_is_pooled_over_groups() -> None:
    found = stats.run_spread([[1.0, math.e**2], [5.0, 5.0, 5.0], [7.0], []])
    assert found == RunSpread(pytest.approx(math.sqrt(2 / 3)), 3, 6)
    assert stats.run_spread([[3.0], []]) is None and stats.run_spread([[0.0, 1.0]]) is None


def test_two_single_runs_are_as_sure_as_earlier_runs_allow() -> None:
    low, high = stats.earlier_interval(0.95, RunSpread(0.01, 9, 10))
    assert (low, high) == (
        pytest.approx(0.95 * math.exp(-2.262 * 2**0.5 / 100)),
        pytest.approx(0.95 * math.exp(2.262 * 2**0.5 / 100)),
    )
    chance = np.random.default_rng(11)
    covered = 0
    for _ in range(1000):
        *earlier, a, b = chance.lognormal(0, 0.3, 7)
        spread = stats.run_spread([earlier])
        assert spread is not None
        low, high = stats.earlier_interval(b / a, spread)
        covered += low <= 1 <= high
    assert 930 <= covered <= 970


def test_as_many_pairs_as_asked_for_find_a_change_four_times_in_five() -> None:
    chance = np.random.default_rng(13)
    found = 0
    for _ in range(200):
        first = chance.normal(0, 0.04, 5)
        count = stats.pairs_for(0.05, float(first.std(ddof=1)), 4)
        assert count is not None
        a, b = np.ones(count), np.exp(chance.normal(math.log(0.95), 0.04, count))
        interval = stats.repeat_interval(a.tolist(), b.tolist())
        assert interval is not None
        found += interval[1] < 1
    assert found >= 160
    assert stats.pairs_for(0.05, 1.0, 2) is None
    assert stats.pairs_for(0.05, 0.001, 2) == 3


def test_the_spread_of_pairs_is_what_does_not_happen_to_both() -> None:
    assert stats.pair_spread([1.0, 2.0, 5.0], [2.0, 4.0, 10.0]) == pytest.approx(0)


def test_differences_that_are_all_equal_or_few_have_no_interval() -> None:
    assert stats.mean_interval(np.zeros(300)) is stats.mean_interval(np.full(9, 5.0)) is None
    assert stats.mean_interval(np.array([1.0, 2.0, 3.0, 4.0])) is None
    low, high = stats.mean_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) or (0, 0)
    assert low < 3 < high
