"""Plots: the numbers on the axes, the points of a curve, and what they are made from."""

from __future__ import annotations

import re

import numpy as np
import pytest

from assay.report import plot, series
from assay.report.plot import Curve, Limit, Plot, Spot
from tests.report import rows


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (250, [0, 50, 100, 150, 200, 250]),
        (7e-6, [0, 2e-6, 4e-6, 6e-6, 8e-6]),
        (3, [0, 1, 2, 3]),
    ],
)
def test_an_axis_has_round_numbers_and_reaches_the_largest_value(most: float, marks: list[float]) -> None:
    assert plot.ticks(most) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (0.002, "0.002"), (1500, "1500"), (2e4, "20k"), (4e8, "400M"), (2e9, "2G")]
)
def test_numbers_beside_an_axis_are_short(value: float, said: str) -> None:
    assert plot.mark(value) == said


def test_a_curve_goes_from_the_lower_left_to_the_upper_right() -> None:
    drawn = plot.render(Plot("t", "x", "y", (Curve("a", [(0, 0), (10, 100)]),)))
    (points,) = re.findall(r'points="([^"]*)"', drawn)
    first, last, *_ = [tuple(map(float, point.split(","))) for point in points.split()]
    assert first == (plot.LEFT, plot.HEIGHT - plot.BOTTOM)
    assert last == (plot.WIDTH - plot.RIGHT, plot.TOP)


@pytest.mark.parametrize(("limit", "is_drawn"), [(20.0, True), (4000.0, False)])
def test_a_limit_far_beyond_the_values_is_told_and_not_drawn(limit: float, is_drawn: bool) -> None:
    line = Curve("a", [(0, 0), (10, 100)])
    drawn = plot.render(Plot("t", "x", "y", (line,), (Limit("most", limit, True),)))
    assert ('<line x1="' in drawn and 'class="limit"' in drawn) is is_drawn
    assert ("most: far beyond the plot" in drawn) is not is_drawn


def test_a_plot_without_points_says_so() -> None:
    assert "Nothing to draw" in plot.render(Plot("t", "x", "y", (Curve("a", []),)))


def test_a_distribution_has_both_ends_and_no_more_points_than_can_be_seen() -> None:
    points = series.distribution(np.arange(15_000.0))
    assert (points[0][0], points[-1]) == (0.0, (14_999.0, 100.0)) and len(points) <= series.MOST_POINTS
    assert series.distribution(np.array([np.nan])) == []


def test_percentiles_are_taken_as_loadgen_takes_them() -> None:
    assert series.percentile(np.arange(100.0), 99) == 99.0
    assert series.percentile(np.array([5.0]), 99) == 5.0


def test_throughput_over_time_adds_up_to_all_tokens() -> None:
    found = series.Rows(rows.table(400))
    tokens = found.column("answer_tokens")
    points = series.rate(found.end_s, tokens)
    span = points[1][0] - points[0][0]
    assert sum(rate * span for _, rate in points) == pytest.approx(tokens.sum())


def test_queries_in_flight_end_at_none() -> None:
    points = series.in_flight(np.zeros(8), np.arange(1.0, 9.0))
    assert points[0] == (0.0, 8.0) and points[-1] == (8.0, 0.0)


def test_time_per_output_token_of_a_single_token_is_unknown() -> None:
    table = rows.table(2)
    place = table.column_names.index("answer_tokens")
    table = table.set_column(place, "answer_tokens", [np.array([1, 3], np.int32)])
    tpot = series.Rows(table).latencies_ms()["tpot"]
    assert np.isnan(tpot[0]) and tpot[1] > 0


def test_each_point_says_its_numbers_to_whoever_points_at_it() -> None:
    text = plot.render(Plot("t", "s", "tokens/s", (Curve("<b>", ((1.0, 12345.678), (2.0, 7.0))),)))
    assert text.count('class="told"') == 2
    assert "<title>&lt;b&gt;: 12346 tokens/s at 1 s</title>" in text and "<b>" not in text


def test_a_spot_that_is_crossed_out_is_a_cross_with_its_name() -> None:
    spots = (Spot(1.0, 3.0, "FAIL", False, True), Spot(2.0, 2.0, "PASS", True))
    drawn = str(plot.render(Plot("t", "x", "y", (), spots=spots)))
    assert drawn.count("<path") == drawn.count("<polyline") == 1
    assert re.findall(r">(FAIL|PASS)</text>", drawn) == ["FAIL", "PASS"]


def test_a_logarithmic_axis_goes_from_decade_to_decade() -> None:
    assert plot.decades(21.5, 10_754) == [10, 100, 1000, 10_000, 100_000]
    assert plot.decades(10, 10) == [10, 100]
    drawn = str(
        plot.render(Plot("t", "x", "ms", (Curve("a", ((1.0, 1.0), (2.0, 10.0), (3.0, 100.0))),), is_log=True))
    )
    (points,) = re.findall(r'points="([^"]*)"', drawn)
    first, middle, last, _ = [float(point.split(",")[1]) for point in points.split()]
    assert (first, last) == (plot.FLOOR, plot.TOP) and middle == pytest.approx((first + last) / 2, abs=0.1)
