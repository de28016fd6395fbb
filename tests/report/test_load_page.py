"""The page of a load, and the table of definitions on it."""

from __future__ import annotations

from assay.endpoint.load.level import Goodput
from assay.endpoint.load.record import LevelRecord, LevelStatus
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


def test_limits_of_good_answers_are_named() -> None:
    assert Goodput(500).words == "ttft 500 ms"
