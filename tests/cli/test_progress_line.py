from __future__ import annotations

import io

import pytest

from assay.cli import live, progress, terminal
from assay.cli.live import LiveView
from assay.cli.progress import ProgressLine, duration, text
from assay.mlperf.sut.progress import Progress


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("TERM", "xterm")
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (42.4, "42 s"),
        (89, "89 s"),
        (90, "2 min"),
        (420, "7 min"),
        (5399, "90 min"),
        (11520, "3.2 h"),
    ],
)
def test_a_duration_has_two_figures_or_so(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (
            Progress("Offline accuracy", 12, 30, 0.41, 44.0),
            "Offline accuracy: 12 of 30, 0.41 samples/s, 44 s left",
        ),
        (Progress("loading"), "loading"),
        (Progress("Server", 3, 0), "Server"),
        (Progress("x", 0, 5, 0.0, 0.0), "x: 0 of 5, 0 s left"),
    ],
)
def test_a_line_says_what_is_known(shown: Progress, words: str) -> None:
    assert text(shown) == words


def test_a_phase_that_ends_early_shows_nothing(clock: Clock) -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    line.show(Progress("a", 1, 9))
    clock.now += progress.LINE_EVERY_S - 1
    line.show(Progress("a", 8, 9))
    line.show(Progress("b", 1, 9))
    clock.now += 2
    line.show(Progress("b", 2, 9))
    line.close()
    assert stream.getvalue() == ""


def test_away_from_a_terminal_a_line_comes_every_few_seconds(clock: Clock) -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    for done in range(1, 26):
        line.show(Progress("a", done, 99))
        clock.now += 1
    assert stream.getvalue() == "  a: 11 of 99\n  a: 21 of 99\n"


def test_on_a_terminal_one_line_rewrites_itself_and_a_sentence_stands_above_it(clock: Clock) -> None:
    stream = Terminal()
    line = ProgressLine(stream)
    line.show(Progress("a", 1, 9))
    clock.now += 0.3
    line.show(Progress("a", 2, 9))
    line.say("a sentence")
    line.close()
    assert stream.getvalue() == "\r\x1b[K  a: 2 of 9\r\x1b[Ka sentence\n"


def test_a_dumb_terminal_gets_lines(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    line = ProgressLine(stream)
    line.show(Progress("a", 1, 9))
    clock.now += 10
    line.show(Progress("a", 2, 9))
    assert stream.getvalue() == "  a: 2 of 9\n"


def test_a_message_of_the_sut_is_a_sentence_at_once(clock: Clock) -> None:
    stream = io.StringIO()
    ProgressLine(stream).show(Progress("loading", message="layer 3 of 32"))
    assert stream.getvalue() == "  loading: layer 3 of 32\n"


def test_nothing_is_shown_where_progress_is_not_wanted(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "manner", terminal.Manner(is_quiet=True))
    stream = Terminal()
    line = ProgressLine(stream)
    line.say("a sentence")
    line.show(Progress("a", 1, 9, message="layer 3"))
    clock.now += 99
    line.show(Progress("a", 2, 9))
    line.close()
    assert stream.getvalue() == ""
    assert isinstance(live.view(Terminal()), ProgressLine)


@pytest.mark.parametrize("kind", [ProgressLine, LiveView])
def test_an_error_stands_below_what_was_shown(kind: type[ProgressLine | LiveView], clock: Clock) -> None:
    stream = Terminal()
    with pytest.raises(KeyError), kind(stream) as line:
        line.show(Progress("a", 1, 9))
        clock.now += 0.3
        line.show(Progress("a", 2, 9))
        raise KeyError
    assert stream.getvalue().endswith(("\r\x1b[K", "\n"))  # the cursor is at the start of an empty line
