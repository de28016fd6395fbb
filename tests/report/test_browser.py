"""Pages in a real browser: no complaint, no request, text that can be selected, plots that are drawn.

They need a Chromium (Debian: apt-get install chromium) and are skipped, with that word, where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from assay.config import Scenario
from assay.mlperf.record.result import Status
from assay.report import answers_page, compare, compare_page, history_page, page
from assay.report.history import PastRun
from assay.report.page import Shown
from assay.report.run_side import RunSide
from tests import fakes
from tests.report import chromium, rows
from tests.report.test_answers_page import answers

pytestmark = pytest.mark.skipif(chromium.FOUND is None, reason="no Chromium here: apt-get install chromium")
SERVER = fakes.performance(scenario=Scenario.SERVER, limits_ms={"ttft_p99": 2000.0, "tpot_p99": 200.0})
AXES = """[...document.querySelectorAll('figure')].map(f => ({
    title: f.querySelector('h3').textContent,
    marks: [...f.querySelectorAll('svg text')].map(t => [t.textContent, t.getBBox().x + t.getBBox().width / 2]),
    curve: [...f.querySelectorAll('polyline')].flatMap(p => [...p.points].map(q => q.x)),
}))"""


def pages() -> dict[str, str]:
    both = pa.concat_tables([rows.table(300), rows.table(300, mode="accuracy")])
    offline = fakes.result(fakes.performance(), fakes.accuracy(fakes.scored()))
    stopped = fakes.result(fakes.performance(), status=Status.INTERRUPTED, reason="stopped by the user")
    sides = [RunSide(name, offline, rows.table(300, seed=i, slower=i)) for i, name in enumerate("AB", 1)]
    return {
        "Offline": page.render([Shown(offline, both)]),
        "Server": page.render([Shown(fakes.result(SERVER), rows.table(300, scenario="Server"))]),
        "INTERRUPTED": page.render([Shown(stopped, rows.table(300))]),
        "15,000 samples": page.render([Shown(offline, rows.table(15_000))]),
        "history": history_page.render([PastRun(Path("a"), offline), PastRun(Path("b"), offline)], Path()),
        "answers": answers_page.render("a run", answers(40)),
        "comparison": compare_page.render(compare.compare(*sides), ()),
    }


NAMES = ("Offline", "Server", "INTERRUPTED", "15,000 samples", "answers", "comparison", "history")


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.Browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("pages")
    for name, text in pages().items():
        (found / f"{name}.html").write_text(text, encoding="utf-8")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_without_a_complaint_and_asks_for_nothing(
    browser: chromium.Browser, folder: Path, name: str
) -> None:
    browser.open(folder / f"{name}.html")
    assert browser.complaints() == []
    assert browser.requests() == [(folder / f"{name}.html").as_uri()]
    assert (folder / f"{name}.html").stat().st_size < 1_500_000


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_no_wider_than_its_window(
    browser: chromium.Browser, folder: Path, name: str, width: int
) -> None:
    browser.open(folder / f"{name}.html", width)
    assert browser.value("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Offline", ["72.5 tokens/s", "Throughput over time", "tokens/s"]),
        ("INTERRUPTED", ["INTERRUPTED: stopped by the user"]),
        ("comparison", ["B / A", "Tokens per second", "Differences"]),
    ],
)
def test_text_can_be_selected_that_of_the_plots_too(
    browser: chromium.Browser, folder: Path, name: str, words: list[str]
) -> None:
    browser.open(folder / f"{name}.html")
    selected = browser.value("getSelection().selectAllChildren(document.body), getSelection().toString()")
    assert [word for word in words if word not in selected] == []


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("name", ["Offline", "Server", "15,000 samples"])
def test_every_curve_can_be_seen(browser: chromium.Browser, folder: Path, name: str, is_dark: bool) -> None:
    browser.open(folder / f"{name}.html", is_dark=is_dark)
    count = browser.value("document.querySelectorAll('figure').length")
    assert count >= 4
    for place in range(count):
        browser.value(f"document.querySelectorAll('figure')[{place}].id = 'looked-at'")
        drawn = browser.picture("#looked-at svg")
        browser.value(
            "document.querySelectorAll('#looked-at polyline').forEach(p => p.style.visibility = 'hidden')"
        )
        assert browser.picture("#looked-at svg") != drawn
        browser.value("document.querySelector('#looked-at').removeAttribute('id')")


def test_the_marks_of_an_axis_stand_where_their_numbers_are(browser: chromium.Browser, folder: Path) -> None:
    browser.open(folder / "15,000 samples.html")
    drawn = {each["title"]: each for each in browser.value(AXES)}
    figure = next(each for title, each in drawn.items() if title.startswith("Throughput"))
    seconds = [(float(text), x) for text, x in figure["marks"][-7:] if text.replace(".", "").isdigit()]
    assert len(seconds) >= 3
    (first, left), (last, right) = seconds[0], seconds[-1]
    for value, x in seconds:
        assert x == pytest.approx(left + (value - first) / (last - first) * (right - left), abs=1.5)
    longest = max(rows.table(15_000)["end_ns"].to_pylist()) / 1e9
    shown = first + (max(figure["curve"]) - left) / (right - left) * (last - first)
    assert shown == pytest.approx(longest, rel=0.03)


def test_dark_and_light_are_not_the_same(browser: chromium.Browser, folder: Path) -> None:
    backgrounds = []
    for is_dark in (False, True):
        browser.open(folder / "Offline.html", is_dark=is_dark)
        backgrounds.append(browser.value("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds[0] != backgrounds[1]


def test_a_filter_of_answers_hides_the_others_without_a_script(
    browser: chromium.Browser, folder: Path
) -> None:
    browser.open(folder / "answers.html")
    shown = (
        "[...document.querySelectorAll('.answer')].filter(e => getComputedStyle(e).display !== 'none').length"
    )
    assert browser.value(shown) == 40
    wrong = "[...document.querySelectorAll('label')].find(e => e.textContent.includes('wrong')).click()"
    browser.value(wrong)
    assert browser.value(shown) == sum(each.verdict == "wrong" for each in answers(40))
    browser.value(
        "[...document.querySelectorAll('label')].find(e => e.textContent.includes('OpenOrca')).click()"
    )
    assert browser.value(shown) == 0  # none of them was judged
