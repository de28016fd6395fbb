import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert interval.of_mean([5.0, 5.0, 5.0, 5.0]) is None
    assert interval.of_amount([5.0]) is None


def test_equal_values_have_no_interval_and_the_reason_is_told() -> None:
    equal = [0.1] * 10
    assert interval.of_mean(equal) is interval.of_amount(equal, most=100.0) is None
    assert interval.missing(equal) == "all equal: no interval"
    assert interval.missing([*equal, 0.2]) == interval.missing([3.0] * 4) == ""


def test_every_hit_still_leaves_room_below_a_hundred() -> None:
    low, high = interval.of_share(10, 10) or (-1, -1)
    assert high == 100
    assert low == pytest.approx(72.25, abs=0.01)  # Wilson: n / (n + z²)


def test_the_interval_of_a_mean_is_so_many_standard_errors_wide() -> None:
    # mean 5, variance 10 / 4, n 5: 1.96 * sqrt(10 / 20) on each side
    assert interval.of_mean([3.0, 4.0, 5.0, 6.0, 7.0]) == pytest.approx((5 - 1.38590, 5 + 1.38590), abs=1e-4)


def test_the_interval_of_an_amount_ends_where_no_value_can_be() -> None:
    low, high = interval.of_mean([0.0, 0.0, 0.0, 0.0, 9.0]) or (0, 0)
    assert low < 0
    assert interval.of_amount([0.0, 0.0, 0.0, 0.0, 9.0]) == (0.0, high)
    assert (interval.of_amount([100.0, 100.0, 100.0, 100.0, 80.0], most=100.0) or (0, 0))[1] == 100.0


@given(st.integers(1, 3000), st.data())
def test_the_interval_of_a_share_holds_it_and_mirrors(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = interval.of_share(hits, n) or (-1, -1)
    assert 0 <= low <= 100 * hits / n <= high <= 100
    other = interval.of_share(n - hits, n) or (-1, -1)
    assert other == pytest.approx((100 - high, 100 - low), abs=1e-9)
