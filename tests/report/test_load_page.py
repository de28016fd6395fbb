"""The page of a load, and the table of definitions on it."""

from __future__ import annotations

import dataclasses

from assay.endpoint.load.level import Goodput, LoadKind, LoadLevel
from assay.endpoint.load.record import LevelRecord, LevelStatus, LoadRecord
from assay.report import load_page
from tests.endpoint.load.test_record import LEVELS, figures, made


def test_a_page_has_the_curves_the_pareto_points_and_every_level() -> None:
    page = load_page.render(made())
    assert page.count("<svg") == 4 and "2 of 2 levels finished" in page
    assert page.count('class="line spot c0"') == 2 and "Pareto points" in page
    assert ">concurrency 1</text>" in page and ">2.5 requests/s</text>" in page
    assert "1 CUT" in page and "8 of 9" in page and "LoadGen" in page
    assert "A good answer keeps ttft 500 ms" in page
    assert "<script" not in page


def test_levels_of_two_kinds_are_joined_apart_and_far_latencies_have_a_logarithmic_axis() -> None:
    page = load_page.render(made())
    assert (
        all(f"p99, {kind}" in page for kind in ("concurrency", "rate"))
        and "p90" not in page.split("Levels")[0][-400:]
    )
    slow = figures(90, 9)
    slow = dataclasses.replace(slow, ttft_ms={name: 100 * ms for name, ms in slow.ttft_ms.items()})
    far = made().with_level(1, LevelRecord(LEVELS[1], LevelStatus.COMPLETE, "", slow))
    flat, steep = (load_page._latencies(each.levels, "ttft_ms", "t") for each in (made(), far))
    assert not flat.is_log and steep.is_log


def test_columns_without_anything_in_them_are_left_out() -> None:
    without = made()
    asked = dataclasses.replace(without.asked, goodput=None)
    levels = tuple(
        dataclasses.replace(each, figures=each.figures and dataclasses.replace(each.figures, cached_tokens=0))
        for each in without.levels
    )
    page = load_page.render(dataclasses.replace(without, asked=asked, levels=levels))
    assert "good/s" not in page and "cached prompt tokens" not in page
    assert "good/s" in load_page.render(without)


def test_a_level_that_another_one_beats_is_no_pareto_point() -> None:
    slower = made().with_level(1, LevelRecord(LEVELS[1], LevelStatus.COMPLETE, "", figures(90, 9)))
    page = load_page.render(slower)
    assert page.count('class="line spot c0"') == page.count('class="line spot c3"') == 1


def test_a_load_without_answers_has_a_page_that_says_why() -> None:
    record = made()
    for place, reason in ((0, "<b>gone</b>"), (1, "stopped by the user")):
        record = record.with_level(place, LevelRecord(LEVELS[place], LevelStatus.INTERRUPTED, reason))
    page = load_page.render(record)
    assert "0 of 2 levels finished" in page and "Nothing to draw" in page
    assert "INTERRUPTED: &lt;b&gt;gone&lt;/b&gt;" in page and "<b>gone" not in page


def levels(*asked: tuple[LoadLevel, float, dict[str, float]]) -> LoadRecord:
    made_levels = tuple(
        LevelRecord(level, LevelStatus.COMPLETE, "", dataclasses.replace(figures(rate, 1), ttft_ms=ms))
        for level, rate, ms in asked
    )
    return dataclasses.replace(made(), levels=made_levels)


def test_levels_of_a_kind_are_joined_in_their_order() -> None:
    streams = [LoadLevel(LoadKind.CONCURRENCY, count) for count in (1, 4, 16)]
    rates = [LoadLevel(LoadKind.RATE, rate) for rate in (2, 20)]
    rows = zip([*streams, *rates], (10.0, 80.0, 70.0, 20.0, 60.0), (5.0, 6.0, 9.0, 5.0, 7.0))
    record = levels(*((level, rate, {"p50": ms}) for level, rate, ms in rows))
    (plot,) = (each for each in load_page.latencies(record) if each.title == "Time to first token")
    found = {line.name: line.points for line in plot.lines if line.points}
    assert found == {
        "p50, concurrency": [(10.0, 5.0), (80.0, 6.0), (70.0, 9.0)],
        "p50, rate": [(20.0, 5.0), (60.0, 7.0)],
    }


def test_answers_in_one_piece_have_no_plot_of_the_time_between_tokens() -> None:
    record = levels((LoadLevel(LoadKind.CONCURRENCY, 1), 10.0, {"p50": 0.0, "p90": 0.0, "p99": 0.0}))
    (plot,) = (each for each in load_page.latencies(record) if each.title == "Time to first token")
    assert plot.lines == () and "Every answer came in one piece" in load_page.render(record)


def test_limits_of_good_answers_are_named() -> None:
    assert Goodput(500).words == "ttft 500 ms"
