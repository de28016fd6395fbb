from __future__ import annotations

import pytest

from assay.mlperf.sut.progress import Watchdog


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_silence_is_overdue_only_while_queries_are_open(clock: Clock) -> None:
    watchdog = Watchdog(10.0, clock)
    clock.now += 60
    watchdog.saw(0, 0)
    assert not watchdog.is_overdue
    watchdog.saw(5, 0)
    clock.now += 11
    assert watchdog.is_overdue


def test_an_answer_or_a_line_from_the_sut_starts_the_wait_again(clock: Clock) -> None:
    watchdog = Watchdog(10.0, clock)
    watchdog.saw(5, 0)
    clock.now += 9
    watchdog.saw(5, 1)
    clock.now += 9
    watchdog.heard()
    clock.now += 9
    assert not watchdog.is_overdue
    clock.now += 2
    assert watchdog.is_overdue


def test_without_a_limit_the_wait_follows_the_longest_silence_seen(clock: Clock) -> None:
    watchdog = Watchdog(None, clock)
    watchdog.saw(5, 0)
    assert watchdog.limit_s == Watchdog.FIRST_SECONDS
    clock.now += 100
    watchdog.saw(5, 1)
    assert watchdog.limit_s == 100 * Watchdog.TIMES_LONGEST
    clock.now += 1
    watchdog.saw(5, 2)
    assert watchdog.limit_s == 100 * Watchdog.TIMES_LONGEST


def test_a_fast_sut_still_gets_ten_minutes(clock: Clock) -> None:
    watchdog = Watchdog(None, clock)
    watchdog.saw(5, 0)
    clock.now += 0.1
    watchdog.saw(5, 1)
    assert watchdog.limit_s == Watchdog.LEAST_SECONDS
