"""The runs of a folder as a page."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from assay.config import Scenario
from assay.mlperf.record.result import Figure, RunValidity, Status
from assay.report import history_page, plot
from assay.report.history import PastRun
from tests import fakes

ROOT = Path("runs")


def past(name: str, *rates: float, workload: str = "mixtral-8x7b") -> PastRun:
    scenarios = (Scenario.OFFLINE, Scenario.SERVER)
    runs = [
        fakes.performance(scenario=scenario, figures=(Figure("tokens_per_s", rate, "tokens/s", 10, "f"),))
        for scenario, rate in zip(scenarios, rates)
    ]
    return PastRun(ROOT / name, dataclasses.replace(fakes.result(*runs), workload=workload))


UNREADABLE = PastRun(ROOT / "bad", None, "result.json is <b>damaged</b>")


def test_runs_are_counted_from_one_and_stand_away_from_the_ends_of_the_axis() -> None:
    drawn = plot.render(history_page.trends([past("a", 10.0), past("b", 12.0), past("c", 7.0)])[0])
    marks = re.findall(r'<text[^>]* x="([0-9.]+)"[^>]*>([0-9]+)</text>', str(drawn))
    by_name = {name: float(x) for x, name in marks if name in "123"}
    wide = plot.WIDTH - plot.LEFT - plot.RIGHT
    assert by_name == {name: round(plot.LEFT + wide * (n - 0.5) / 3, 1) for n, name in enumerate("123", 1)}


def test_each_workload_and_scenario_has_a_trend_in_the_order_of_the_runs() -> None:
    found = history_page.trends(
        [past("a", 10.0, 5.0), UNREADABLE, past("b", 12.0), past("c", 7.0, workload="w")]
    )
    assert {each.title: list(each.lines[0].points) for each in found} == {
        "mixtral-8x7b Offline, engine": [(1.0, 10.0), (3.0, 12.0)],
        "mixtral-8x7b Server, engine": [(1.0, 5.0)],
        "w Offline, engine": [(4.0, 7.0)],
    }


def of_system(made: PastRun, sut: str, precision: str) -> PastRun:
    assert made.result is not None and made.result.used is not None
    asked = dataclasses.replace(made.result.asked, sut=sut)
    used = dataclasses.replace(made.result.used, sut=sut, precision=precision)
    changed = dataclasses.replace(made.result, asked=asked, used=used, is_fake=sut == "echo")
    return dataclasses.replace(made, result=changed)


def test_another_system_has_a_trend_of_its_own_and_another_precision_a_curve() -> None:
    echo, int8 = of_system(past("b", 1e6), "echo", "none"), of_system(past("c", 12.0), "engine", "int8")
    found = history_page.trends([past("a", 10.0), echo, int8])
    assert {each.title: {line.name: line.points for line in each.lines} for each in found} == {
        "mixtral-8x7b Offline, engine": {"float32": [(1.0, 10.0)], "int8": [(3.0, 12.0)]},
        "mixtral-8x7b Offline, echo (FAKE)": {"tokens/s": [(2.0, 1e6)]},
    }


def test_runs_are_counted_in_whole_numbers() -> None:
    drawn = plot.render(history_page.trends([past("a", 10.0), past("b", 12.0)])[0])
    marks = re.findall(r'text-anchor="middle">([^<]*)<', drawn)
    assert marks == ["1", "2", "run"]


def test_the_table_has_the_number_that_the_plot_has() -> None:
    text = history_page.render([past("first", 10.0, 5.0), past("second", 12.0)], ROOT)
    assert text.count('<th scope="row" data-head="run">1</th>') == 2
    assert text.count('<th scope="row" data-head="run">2</th>') == 1
    assert text.index("first") < text.index("second")


def test_a_record_that_cannot_be_read_has_its_reason_and_is_no_markup() -> None:
    text = history_page.render([UNREADABLE], ROOT)
    assert "&lt;b&gt;damaged&lt;/b&gt;" in text and "<b>" not in text
    assert "<svg" not in text


def test_no_run_at_all_is_a_page_too() -> None:
    assert "<h1>History</h1>" in history_page.render([], ROOT)


def test_a_run_that_is_no_result_has_a_cross_and_the_word() -> None:
    valid, stopped = past("a", 10.0), past("c", 7.0)
    assert valid.result is not None and stopped.result is not None
    late, failed = (
        dataclasses.replace(
            valid,
            result=dataclasses.replace(
                valid.result, runs=tuple(dataclasses.replace(run, **changes) for run in valid.result.runs)
            ),
        )
        for changes in ({"validity": RunValidity.INVALID}, {"faults": ("9 of 10 answers failed",)})
    )
    stopped = dataclasses.replace(
        stopped, result=dataclasses.replace(stopped.result, status=Status.INTERRUPTED)
    )
    (found,) = history_page.trends([valid, late, stopped, failed])
    assert [(spot.x, spot.label, spot.is_crossed) for spot in found.spots] == [
        (2.0, "INVALID", True),
        (3.0, "INTERRUPTED", True),
        (4.0, "INVALID", True),
    ]
