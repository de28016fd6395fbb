"""Which of several endpoints does worst."""

from __future__ import annotations

import pytest

from assay.suts import endpoint_worst
from assay.suts.endpoint_worst import WorstEndpoint

A, B = "http://a:1", "http://b:2"
MS = 1_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(endpoint_worst.time, "monotonic", lambda: now[0])
    return now


def test_most_failures_are_worse_than_any_slowness(clock: list[float]) -> None:
    worst = WorstEndpoint([A, B], lambda _: None)
    worst.add(A, 9000 * MS, False)
    worst.add(B, 10 * MS, True)
    worst.add(B, 20 * MS, False)
    assert worst.words() == "http://b:2: 1 of 2 failed, 15 ms an answer"


def test_without_failures_the_slowest_is_told(clock: list[float]) -> None:
    worst = WorstEndpoint([A, B], lambda _: None)
    worst.add(A, 30 * MS, False)
    worst.add(B, 10 * MS, False)
    assert worst.words().startswith(A)


def test_it_tells_once_a_second_at_most(clock: list[float]) -> None:
    told: list[str] = []
    worst = WorstEndpoint([A, B], told.append)
    for _ in range(30):
        worst.add(A, MS, False)
        clock[0] += 0.1
    assert len(told) == 3


def test_a_single_endpoint_is_no_news(clock: list[float]) -> None:
    told: list[str] = []
    WorstEndpoint([A], told.append).add(A, MS, True)
    assert told == []


def test_the_balance_of_several_says_who_answered_and_whose_queries_others_took(clock: list[float]) -> None:
    worst = WorstEndpoint([A, B], lambda _: None)
    assert worst.balance() == ""
    for _ in range(3):
        worst.add(A, 10 * MS, False)
    worst.add(B, 30 * MS, True)
    worst.tallies[B].handed_over = 2
    assert worst.balance() == (
        "servers: http://a:1 75% of the answers, 10 ms each, 0 failed; "
        "http://b:2 25% of the answers, 30 ms each, 1 failed, 2 that it failed answered by another"
    )
    alone = WorstEndpoint([A], lambda _: None)
    alone.add(A, MS, True)
    assert alone.balance() == ""
