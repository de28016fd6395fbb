from __future__ import annotations

import pytest

from assay.endpoint.chunk_times import MOST_US, ChunkTimes, packed_gaps

MS = 1_000_000


def test_gaps_cross_in_microseconds() -> None:
    times = ChunkTimes()
    times.add(6, 2, packed_gaps([0, 3 * MS, 4 * MS]))  # 2 tokens at once, 4 more in two events
    times.add(2, 2, packed_gaps([7 * MS]))  # all in one event
    times.add(3, 1, packed_gaps([0, MS, 5 * MS]))
    assert times.gaps_ms == [3.0, 1.0, 1.0, 4.0]
    assert times.later_ms == [pytest.approx(1.0), pytest.approx(2.5)]


def test_no_gap_breaks_a_client() -> None:
    assert packed_gaps([]) == packed_gaps([1]) == b""
    times = ChunkTimes()
    times.add(3, 1, packed_gaps([10**9, 0, 10**17]))  # a clock that goes back, and an answer of years
    assert times.gaps_ms == [0.0, MOST_US / 1000]


def test_a_run_without_answers_has_no_times() -> None:
    assert ChunkTimes().gaps_ms == ChunkTimes().later_ms == []
