"""The words and bars of the live view."""

from __future__ import annotations

import pytest

from assay.cli import live_text
from assay.cli.live_text import RED, Look, ViewLine, bar, lines, rounded, verdict
from assay.mlperf.sut.progress import LiveFigures, Progress

SERVER = LiveFigures(
    seconds=120.0,
    least_seconds=600.0,
    tokens_per_s=6540.4,
    in_flight=188,
    ttft_p99_ms=812.3,
    tpot_p99_ms=41.26,
    ttft_limit_ms=2000.0,
    tpot_limit_ms=200.0,
    is_judged=True,
)
LATE = LiveFigures(seconds=5.0, tokens_per_s=1.0, ttft_p99_ms=2310.0, ttft_limit_ms=2000.0, is_judged=True)


def texts(progress: Progress, columns: int = 80) -> list[str]:
    return [line.text for line in lines(progress, Look(columns))]


def test_a_server_run_tells_pace_latency_and_limits() -> None:
    shown = texts(Progress("Server performance", 1204, 2000, 144.0, 44.0, live=SERVER))
    assert shown[0].startswith("  Server performance ")
    assert shown[0].endswith("  1,204 of 2,000, 44 s left")
    assert shown[1:] == [
        "    speed            6,540 tokens/s, 144 samples/s, 188 in flight",
        "    TTFT p99 so far  812 ms, limit 2,000 ms",
        "    TPOT p99 so far  41.3 ms, limit 200 ms",
        "    VALID so far?    yes; 120 s of at least 600 s",
    ]


def test_a_limit_that_is_exceeded_is_said_and_red() -> None:
    found = {line.text.strip(): line.colour for line in lines(Progress("Server", 1, 2, live=LATE), Look())}
    assert found["VALID so far?    no: p99 of TTFT over the limit"] == RED
    assert found["TTFT p99 so far  2,310 ms, limit 2,000 ms"] == RED
    assert found["speed            1 tokens/s, 0 in flight"] == ""


def test_an_accuracy_run_gives_no_verdict_and_other_phases_no_figures() -> None:
    assert not any(
        "VALID" in text for text in texts(Progress("Offline accuracy", 1, 2, live=LiveFigures(1.0)))
    )
    assert texts(Progress("loading")) == ["  loading"]


def test_nothing_is_said_of_a_verdict_before_the_first_answer() -> None:
    assert verdict(LiveFigures(0.1, 600.0, is_judged=True)) == "nothing has been answered yet"
    assert verdict(LiveFigures(700.0, 600.0, 10.0, is_judged=True)) == "yes"


@pytest.mark.parametrize("columns", [20, 39, 40, 60, 80, 120, 500])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    worst = LiveFigures(
        1.0, worst_endpoint="http://a.very.long.name.of.a.host:8000/and/a/path: 3 of 9 failed" * 2
    )
    look = Look(columns)
    for progress in (
        Progress("Interactive performance", 10**9, 2 * 10**9, 1e6, 1e5, live=worst),
        Progress("x" * 300),
    ):
        assert all(len(line.shown(look)) < columns for line in lines(progress, look))


def test_a_narrow_terminal_has_no_bar_and_a_wide_one_a_bounded_one() -> None:
    progress = Progress("Offline accuracy", 12, 30, eta_s=44.0)
    assert "█" not in texts(progress, 45)[0]
    assert texts(progress, 300)[0].count("█") + texts(progress, 300)[0].count("░") == live_text.MOST_BAR


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "...."), (0.5, "##.."), (1.0, "####"), (1.7, "####"), (-1.0, "....")]
)
def test_a_bar_is_as_full_as_its_share(share: float, shown: str) -> None:
    assert bar(share, 4, Look(has_blocks=False)) == shown


def test_a_colour_is_shown_only_where_there_are_colours() -> None:
    assert ViewLine("no", RED).shown(Look(has_colour=True)) == "\x1b[31mno\x1b[0m"
    assert ViewLine("no", RED).shown(Look()) == "no"
    assert ViewLine("yes").shown(Look(has_colour=True)) == "yes"


def test_an_encoding_without_the_characters_gets_others() -> None:
    shown = ViewLine("é " + "x" * 99).shown(Look(40, has_blocks=False))
    assert shown.isascii()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.4123, "0.412"), (41.26, "41.3"), (99.94, "99.9"), (100.4, "100"), (6540.4, "6,540")],
)
def test_a_figure_has_three_digits_or_more(value: float, shown: str) -> None:
    assert rounded(value) == shown


def test_a_foreign_name_cannot_move_the_cursor() -> None:
    hostile = LiveFigures(1.0, worst_endpoint="http://x\x1b[2J\nVALID")
    assert texts(Progress("p\x1b[A", 1, 2, live=hostile))[0].startswith("  p\\x1b[A")
    assert texts(Progress("p", 1, 2, live=hostile))[-1].endswith("http://x\\x1b[2J\\nVALID")
