import pytest

from assay.mlperf.scoring import interval


def test_wilson_interval_of_a_known_share() -> None:
    # Wilson, 1927, for 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, table I).
    assert interval.of_share(81, 263) == pytest.approx((25.53, 36.62), abs=0.01)


def test_no_hit_at_all_still_leaves_room_above_zero() -> None:
    low, high = interval.of_share(0, 10) or (-1, -1)
    assert low == 0
    assert 25 < high < 31


def test_an_interval_needs_samples() -> None:
    assert interval.of_share(0, 0) is None
    assert interval.of_mean([5.0]) is None


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert interval.of_mean([3.0, 3.0, 3.0]) == (3.0, 3.0)
