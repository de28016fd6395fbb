"""The live view rewrites its lines on a terminal, and only there."""

from __future__ import annotations

import io

import pytest

from assay.cli import live
from assay.cli.live import LiveView, look_of, view
from assay.cli.progress import ProgressLine
from assay.mlperf.sut.progress import LiveFigures, Progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Screen:
    """Of a stream with the three controls that the view uses: what stands there at the end."""

    def __init__(self, written: str) -> None:
        self.rows, at = [""], 0
        for part in written.replace("\x1b[K", "").split("\x1b["):
            if part[:1].isdigit() and "A" in part[:4]:
                count, part = part.split("A", 1)
                at -= int(count)
            elif part.startswith("J"):
                part, self.rows = part[1:], [*self.rows[:at], ""]
            for number, text in enumerate(part.split("\n")):
                at += number > 0
                while at >= len(self.rows):
                    self.rows.append("")
                self.rows[at] = text or self.rows[at]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return now


def run(done: int, phase: str = "Server performance") -> Progress:
    return Progress(
        phase, done, 10, live=LiveFigures(1.0, tokens_per_s=5.0, in_flight=10 - done, is_judged=True)
    )


def test_plain_lines_are_for_pipes_and_dumb_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(view(io.StringIO()), ProgressLine)
    assert isinstance(view(Terminal()), LiveView)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(view(Terminal()), ProgressLine)
    monkeypatch.delenv("TERM")
    assert isinstance(view(Terminal()), ProgressLine)


def test_lines_rewrite_themselves_in_place(clock: list[float]) -> None:
    stream = Terminal()
    shown = LiveView(stream)
    for done in range(1, 9):
        shown.show(run(done))
        clock[0] += 1
    rows = Screen(stream.getvalue()).rows
    assert [row.split("  ")[1] for row in rows[:1]] == ["Server performance"]
    assert rows[0].endswith("8 of 10")
    assert rows[1:] == ["    speed            5 tokens/s, 2 in flight", "    VALID so far?    yes", ""]


def test_it_draws_a_few_times_a_second_at_most(clock: list[float]) -> None:
    stream = Terminal()
    shown = LiveView(stream)
    for _ in range(100):
        shown.show(run(1))
        clock[0] += 0.01
    assert stream.getvalue().count("Server performance") == 4


def test_a_phase_that_has_ended_leaves_one_line(clock: list[float]) -> None:
    stream = Terminal()
    shown = LiveView(stream)
    shown.show(run(3))
    clock[0] += 42
    shown.show(run(10))
    shown.show(run(1, "Server accuracy"))
    shown.close()
    shown.close()
    rows = Screen(stream.getvalue()).rows
    assert rows == ["  Server performance   10 of 10 in 42 s", "  Server accuracy      1 of 10 in 0 s", ""]


def test_a_phase_without_a_total_leaves_nothing() -> None:
    stream = Terminal()
    shown = LiveView(stream)
    shown.show(Progress("loading"))
    shown.close()
    assert Screen(stream.getvalue()).rows == [""]


def test_a_sentence_stands_above_the_view_and_is_made_safe(clock: list[float]) -> None:
    stream = Terminal()
    shown = LiveView(stream)
    shown.show(run(1))
    shown.show(Progress("Server performance", message="overloaded \x1b[2J"))
    clock[0] += 1
    shown.show(run(2))
    rows = Screen(stream.getvalue()).rows
    assert rows[0] == "  Server performance: overloaded \\x1b[2J"
    assert rows[1].endswith("2 of 10")


def test_a_terminal_that_became_narrower_is_cleared_whole(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    shown = LiveView(stream)
    shown.show(run(1))
    monkeypatch.setenv("COLUMNS", "30")
    clock[0] += 1
    shown.show(run(2))
    # The bar was 79 columns wide (3 rows of 30), the two lines of figures 45 and 24 (2 and 1).
    assert "\x1b[6A" in stream.getvalue()


def test_colours_and_blocks_are_used_only_where_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    assert not look_of(stream).has_colour
    monkeypatch.delenv("NO_COLOR")
    assert look_of(stream).has_colour
    monkeypatch.setenv("NO_COLOR", "")
    assert look_of(stream).has_colour
    assert look_of(stream).has_blocks
    stream.encoding = "ascii"  # type: ignore[misc]
    assert not look_of(stream).has_blocks
