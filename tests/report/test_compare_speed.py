"""When a ratio of two runs is believed: by repeats, by earlier runs of the same, by blocks of one run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from assay.mlperf.record.result import Figure, RunResult
from assay.report import compare_text
from assay.report.compare import compare
from assay.report.compare_speed import LONE_FLOOR, Basis, RateRatio
from assay.report.run_side import RunSide
from tests import fakes


def run(rate: float) -> RunResult:
    figures = (Figure("samples_per_s", rate, "samples/s", 9, "log"),)
    return fakes.result(fakes.performance(figures=figures))


def side(rate: float, earlier: list[float]) -> RunSide:
    return RunSide("x", run(rate), None, earlier=tuple(map(run, earlier)))


def compared(a: float, b: float, earlier: list[float]) -> RateRatio:
    (found,) = compare(side(a, earlier), side(b, [])).ratios
    return found


def conclusions(spread: float, slower: float, count: int) -> list[str]:
    """Of single runs on a machine whose runs differ by `spread`, with ten earlier ones."""
    chance = np.random.default_rng(17)
    said = []
    for _ in range(count):
        *earlier, a, b = (100 * chance.lognormal(0, spread, 12)).tolist()
        said.append(compared(a, b / slower, earlier).conclusion)
    return said


@pytest.mark.parametrize("spread", [0.01, 0.1])
def test_single_runs_of_the_same_are_no_difference_where_earlier_runs_tell_the_noise(spread: float) -> None:
    assert conclusions(spread, 1.0, 100).count("no difference shown") >= 92


def test_where_earlier_runs_differ_by_more_than_a_factor_of_two_nothing_is_concluded() -> None:
    assert conclusions(0.7, 1.0, 100).count("too little to conclude") >= 92


@pytest.mark.parametrize(
    ("b", "earlier", "said"),
    [
        (90.0, [100.0, 105.0, 95.0], "no difference shown"),  # 0.66 to 1.22
        (90.0, [100.0, 110.0, 90.0], "too little to conclude"),  # 0.49 to 1.66
        (110.0, [100.0, 110.0, 90.0], "too little to conclude"),  # 0.60 to 2.03
        (1.0, [100.0, 110.0, 90.0], "B is lower"),  # as wide, and far from 1
    ],
)
def test_an_interval_that_holds_one_and_a_factor_of_two_is_not_told(
    b: float, earlier: list[float], said: str
) -> None:
    found = compared(100.0, b, earlier)
    assert found.conclusion == said
    assert (found.interval is None) == (said == "too little to conclude") == bool(found.reason)
    assert ("beyond a factor of 2" in compare_text.ratio_cells(found)[4]) is (found.interval is None)


def test_a_slowdown_of_five_percent_is_found_by_single_runs_on_a_machine_that_earlier_runs_show_to_be_quiet() -> (
    None
):
    said = conclusions(0.01, 1.05, 100)
    assert said.count("B is lower") >= 80 and "B is higher" not in said


def test_the_note_says_what_the_interval_is_worth_and_what_five_percent_would_take() -> None:
    found = compared(100.0, 80.0, [100.0, 101.0, 99.0])
    assert found.basis is Basis.EARLIER and found.earlier is not None and found.earlier.runs == 3
    note = compare_text.spread_of([found])
    assert "3 earlier runs of the same differ" in note and f"about {found.pairs} pairs" in note
    wild = compared(100.0, 80.0, [100.0, 900.0, 9.0])
    assert wild.pairs is None and "more than 100 pairs" in compare_text.spread_of([wild])


def test_without_earlier_runs_nothing_is_concluded_below_a_factor_that_is_said() -> None:
    base = RateRatio(fakes.performance().scenario, "samples_per_s", "samples/s", 100.0, 60.0, (0.58, 0.62))
    assert base.conclusion == "too little to conclude"
    assert f"below a factor of {LONE_FLOOR:g}" in compare_text.spread_of([base])
    assert dataclasses.replace(base, b=4.0, interval=(0.03, 0.05)).conclusion == "B is lower"
    assert dataclasses.replace(base, b=99.0, interval=(0.9, 1.1)).conclusion == "no difference shown"


def test_repeats_on_one_side_alone_count_as_runs_of_the_same() -> None:
    a = RunSide("a", run(100.0), None)
    b = RunSide("b", run(70.0), None, tuple(map(run, [70.5, 69.5, 70.2])))
    (found,) = compare(a, b).ratios
    assert found.basis is Basis.EARLIER and found.conclusion == "B is lower"


def test_a_figure_of_zero_ends_no_comparison() -> None:
    assert compared(0.0, 10.0, [1.0, 2.0]).conclusion == "too little to conclude"
    assert compared(10.0, 0.0, [1.0, 2.0]).conclusion == "too little to conclude"
