from __future__ import annotations

from assay.endpoint.chunk_times import MOST_US, ChunkTimes, packed_gaps

MS = 1_000_000


def test_each_answer_has_its_times_and_gaps_cross_in_microseconds() -> None:
    times = ChunkTimes()
    times.add(
        6, 2, 100 * MS, 5 * MS, packed_gaps([0, 3 * MS, 4 * MS])
    )  # 2 tokens at once, 4 more in two events
    times.add(2, 2, 200 * MS, 7 * MS, packed_gaps([7 * MS]))  # all in one event
    assert times.gaps_us.tolist() == [3000, 1000]
    assert times.sent_ns.tolist() == [100 * MS, 200 * MS]
    assert times.first_ns.tolist() == [105 * MS, 207 * MS]
    assert times.last_ns.tolist() == [109 * MS, 207 * MS]
    assert (times.tokens.tolist(), times.first_chunk_tokens.tolist()) == ([6, 2], [2, 2])


def test_no_gap_breaks_a_client() -> None:
    assert packed_gaps([]) == packed_gaps([1]) == b""
    times = ChunkTimes()
    times.add(3, 1, 0, 0, packed_gaps([10**9, 0, 10**17]))  # a clock that goes back, and an answer of years
    assert times.gaps_us.tolist() == [0, MOST_US]
