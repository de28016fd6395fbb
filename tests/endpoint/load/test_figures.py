"""What a level came to: throughput in its window, latencies, goodput, Pareto points."""

from __future__ import annotations

import pytest

from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.endpoint.load.figures import Lengths, LevelFigures, of_level, pareto
from assay.endpoint.load.level import Goodput
from assay.endpoint.load.timing import LoadedRequest

MS = 1_000_000


def row(due_ms: float, first_ms: float, end_ms: float, tokens: int = 5, **more: object) -> LoadedRequest:
    due, first, end = (int(value * MS) for value in (due_ms, first_ms, end_ms))
    chunks = ((first, 1), (end, tokens - 1))
    values = {"prompt_tokens": 10, "cached_tokens": None, "endpoint": "http://a:1", **more}
    return LoadedRequest(0, 0, due, due + MS, chunks, end, **values)  # type: ignore[arg-type]


FAILED = EndpointFailure(FailureKind.CUT, "gone", 1)


def test_throughput_counts_what_arrived_in_the_window() -> None:
    found = of_level([row(0, 100, 500), row(0, 900, 1900)], 1.0, None)
    assert (found.requests_per_s, found.tokens_per_s) == (1.0, 6.0)
    assert found.answered == 2  # an answer that ended later has its latency all the same
    assert found.e2e_ms["p50"] == pytest.approx(1200)
    assert found.good_per_s is None and found.good_share is None


def test_failed_requests_have_no_part_in_speed_and_are_counted_by_kind() -> None:
    rows = [row(0, 100, 500), row(0, 1, 2, failure=FAILED), row(0, 1, 2, failure=FAILED)]
    assert [
        of_level([*rows, row(0, 1, 2, is_stamped=told)], 1.0, None).unstamped for told in (True, False)
    ] == [1, 2]
    found = of_level(rows, 1.0, Goodput(ttft_ms=200))
    assert (found.requests, found.answered, found.failures) == (3, 1, {"CUT": 2})
    assert found.tokens_per_s == 5 and found.ttft_ms["p99"] == pytest.approx(100)
    assert (found.good_per_s, found.good_share) == (1.0, pytest.approx(1 / 3))


def test_percentiles_lengths_caches_and_shares_are_told() -> None:
    rows = [row(0, at, at + 40, cached_tokens=3, endpoint=f"http://{'ab'[at % 2]}:1") for at in range(101)]
    found = of_level(rows, 1.0, Goodput(ttft_ms=49.5))
    assert found.ttft_ms == pytest.approx({"p50": 50, "p90": 90, "p99": 99})
    assert found.tpot_ms == pytest.approx({"p50": 10, "p90": 10, "p99": 10})
    assert found.tokens_per_s_user == pytest.approx(100)
    assert found.issue_delay_p99_ms == pytest.approx(1)
    assert (found.prompt_tokens, found.answer_tokens) == (Lengths(10, 10, 10), Lengths(5, 5, 5))
    assert found.cached_tokens == 303 and found.shares == {"http://a:1": 51, "http://b:1": 50}
    assert found.good_share == pytest.approx(50 / 101)


def test_nothing_answered_is_no_figure() -> None:
    found = of_level([row(0, 1, 2, failure=FAILED)], 1.0, None)
    assert (found.ttft_ms, found.tpot_ms, found.answer_tokens, found.tokens_per_s_user) == (
        {},
        {},
        None,
        None,
    )
    assert of_level([], 1.0, None).requests == 0


def level(tokens_per_s: float, p90_ms: float, answered: int = 1) -> LevelFigures:
    return LevelFigures(1, answered, {}, 1.0, 1.0, tokens_per_s, {}, {"p90": p90_ms}, {}, None)


def test_a_pareto_point_is_beaten_by_no_other_level() -> None:
    slow, fast, worse, tie = level(100, 5), level(400, 20), level(90, 6), level(400, 30)
    assert pareto([slow, fast, worse, tie, None, level(999, 1, answered=0)]) == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    assert pareto([slow, slow]) == [True, True]
    assert pareto([]) == []
