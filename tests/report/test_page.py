"""The HTML page of a run: what it says, and that nothing of a run becomes markup."""

from __future__ import annotations

import dataclasses
import itertools
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from assay.config import Mode, Paths, Scenario
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.record.result import Figure, RunResult, RunValidity, Status, SystemField
from assay.report import page, page_plots
from assay.report.page import Shown
from assay.report.page_style import STYLE
from tests import fakes
from tests.report import rows

HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style><b>",
    "&lt;i&gt;",
    "\x1b[2J",
]
LIMITS = {"ttft_p99": 2000.0, "tpot_p99": 200.0}


class Elements(HTMLParser):
    """Tags of a page in their order, their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def filled_with(word: str) -> Shown:
    """A run that says `word` wherever a run can say something."""
    finding = Finding(word, Severity.ERROR, word, word, word, word, word, word)
    score = fakes.scored(source=word, reason=word, unit=word, metric=word, details={word: {word: 1}})
    performance = fakes.performance(
        validity=RunValidity.INVALID,
        invalid_because=(word,),
        warnings=(word,),
        effective={word: word},
        figures=(Figure(word, 1.0, word, 1, word),),
    )
    asked = dataclasses.replace(
        fakes.result().asked, paths=Paths(checkpoint_source=word), origin={"workload": word}
    )
    result = fakes.result(
        performance,
        fakes.accuracy(score),
        workload=word,
        status=Status.FAILED,
        reason=word,
        command=("assay", word),
        notes=(word,),
        system={word: SystemField(word, word)},
        asked=asked,
        assay=word,
    )
    return Shown(result, rows.table(subset=word), (finding,))


@pytest.mark.parametrize("word", HOSTILE)
def test_nothing_of_a_run_becomes_markup(word: str) -> None:
    hostile, plain = (Elements(page.render([filled_with(each)])) for each in (word, "plain"))
    assert hostile.tags == plain.tags and hostile.attributes == plain.attributes
    assert "script" not in hostile.tags and "\x1b" not in "".join(hostile.words)


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    text = page.render([filled_with("http://example.org/a.js")])
    found = Elements(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert not {"src", "href", "onclick", "style"} & set(found.attributes)
    assert "default-src &#x27;none&#x27;" in text and "url(" not in text and "@import" not in text


def test_the_verdict_comes_first_with_its_reasons() -> None:
    late = fakes.performance(validity=RunValidity.INVALID, invalid_because=("too few queries",))
    words = " ".join(Elements(page.render([Shown(fakes.result(late), None)])).words)
    assert (
        words.index("Offline INVALID") < words.index("too few queries") < words.index("Offline performance")
    )


@pytest.mark.parametrize(
    ("result", "is_good"),
    [
        (fakes.result(), True),
        (fakes.result(is_fake=True), False),
        (fakes.result(status=Status.INTERRUPTED, reason="stopped"), False),
        (fakes.result(fakes.accuracy(fakes.scored(value=40.0))), False),
    ],
)
def test_only_a_whole_run_of_a_model_within_its_targets_looks_good(result: RunResult, is_good: bool) -> None:
    assert ('class="verdict good"' in page.render([Shown(result, None)])) is is_good


def test_a_stopped_run_says_what_is_missing_and_how_to_go_on() -> None:
    stopped = fakes.result(fakes.performance(), status=Status.INTERRUPTED, reason="stopped", is_fake=True)
    words = Elements(page.render([Shown(stopped, None)])).words
    assert words[words.index("not run") + 1] == "Offline accuracy"
    assert "\N{HEAVY BALLOT X} FAKE: INTERRUPTED: stopped; of what was finished: Offline VALID" in words
    assert any(each.startswith("assay bench --resume ") for each in words)
    whole = Elements(page.render([Shown(dataclasses.replace(stopped, status=Status.COMPLETE), None)])).words
    assert "not run" not in whole and "Go on with it" not in whole


def test_headings_of_a_page_go_down_one_level_at_a_time() -> None:
    shown = Shown(fakes.result(), rows.table(300))
    levels = [int(tag[1]) for tag in Elements(page.render([shown])).tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and 3 in levels
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_score_stands_beside_both_limits_and_every_figure_beside_n_and_file() -> None:
    score = fakes.scored("tokens_per_sample", 145.9, unit="tokens", low=130.356, high=160.49)
    words = Elements(
        page.render([Shown(fakes.result(fakes.performance(), fakes.accuracy(score)), None)])
    ).words
    assert {"130.356 tokens", "160.49 tokens", "72.5 tokens/s"} <= set(words)
    assert words[words.index("72.5 tokens/s") + 1] == "10"
    assert "Offline/performance/run_1/mlperf_log_detail.txt" in words


def test_the_limits_of_the_round_are_drawn_into_the_distributions() -> None:
    run = fakes.performance(scenario=Scenario.SERVER, limits_ms=LIMITS)
    plots = {plot.title: plot for plot in page_plots.of_run(run, rows.table(scenario="Server"))}
    limit = next(limit for limit in plots["Time to first token, distribution"].limits if limit.is_vertical)
    assert (limit.value, limit.label) == (2000.0, "limit of p99, 2000 ms")
    assert not plots["Latency, distribution"].limits


def test_latencies_without_a_known_plan_say_from_when_they_are_counted() -> None:
    table = rows.table()
    nothing = pa.nulls(table.num_rows, pa.int64())
    table = table.set_column(table.column_names.index("scheduled_ns"), "scheduled_ns", nothing)
    first = page_plots.of_run(fakes.performance(), table)[0]
    assert "from when a query was issued" in first.caption


def test_a_run_without_requests_says_why_it_has_no_plots() -> None:
    text = page.render([Shown(fakes.result(), None, why_no_requests="it is <gone>")])
    assert "<svg" not in text and "No plots: it is &lt;gone&gt;." in text


def test_an_accuracy_run_shows_the_lengths_of_its_answers() -> None:
    (plot,) = page_plots.of_run(fakes.accuracy(), rows.table(mode=Mode.ACCURACY.value))
    assert plot.title == "Answer lengths" and "mean" in plot.caption


def test_fifteen_thousand_samples_make_a_page_of_less_than_a_megabyte_and_a_half() -> None:
    text = page.render([Shown(fakes.result(fakes.performance()), rows.table(15_000))])
    assert len(text.encode()) < 1_500_000 and text.count("<svg") == 7


def test_the_style_sheet_knows_dark_narrow_and_paper() -> None:
    assert STYLE.count("{") == STYLE.count("}")
    for medium in ("(prefers-color-scheme: dark)", "(max-width: 500px)", "print"):
        assert f"@media {medium} {{" in STYLE
    paper = STYLE.partition("@media print")[2]
    assert "details::details-content { content-visibility: visible" in paper  # nothing is opened on paper
    assert "section" not in paper  # one that is longer than a page left most of the page before it empty
