"""TTFT and TPOT of a run that is still going on."""

from __future__ import annotations

import numpy as np
import pytest

from assay.mlperf.run.live import Durations, LatencySoFar, RunningLatencies
from assay.mlperf.run.request_times import Recorder, Stamps

MS = 1_000_000


def add(stamps: Stamps, at_ms: float, query: int, value: int = 5) -> None:
    stamps.add(np.array([query], np.uint64), np.array([value], np.int32))
    stamps._at[-1] = int(at_ms * MS)


def near(value: float) -> object:
    return pytest.approx(value, rel=0.006)


def test_nothing_is_known_before_the_first_token() -> None:
    assert RunningLatencies().look(Recorder(), 0) == LatencySoFar(None, None)


@pytest.mark.parametrize("ms", [0.001, 0.4, 12.0, 2310.0, 900_000.0])
def test_a_duration_is_known_to_half_a_percent(ms: float) -> None:
    kept = Durations()
    kept.add(ms * MS)
    assert kept.p99_ms() == near(ms)


def test_the_99th_of_a_hundred_is_told_and_not_the_longest() -> None:
    kept = Durations()
    for ms in range(1, 101):
        kept.add(ms * MS)
    assert kept.p99_ms() == near(99)


def test_durations_beyond_all_measure_have_a_place() -> None:
    kept = Durations()
    kept.add(0)
    kept.add(1e30)
    assert kept.count == 2
    assert kept.p99_ms() is not None


def test_first_tokens_count_from_issue_and_later_ones_from_the_first() -> None:
    times, running = Recorder(), RunningLatencies()
    add(times.issued, 0, 1)
    add(times.first, 30, 1)
    add(times.done, 30 + 4 * 7, 1, value=5)
    so_far = running.look(times, 100 * MS)
    assert so_far.ttft_p99_ms == near(30)
    assert so_far.tpot_p99_ms == near(7)


def test_each_stamp_is_read_once_over_several_looks() -> None:
    times, running = Recorder(), RunningLatencies()
    for query in range(3):
        add(times.issued, 0, query)
    running.look(times, 1 * MS)
    for query in range(3):
        add(times.first, 10, query)
    running.look(times, 11 * MS)
    add(times.done, 50, 2, value=5)
    so_far = running.look(times, 51 * MS)
    assert (running._ttft.count, running._tpot.count) == (3, 1)
    assert so_far.tpot_p99_ms == near(10)


def test_a_query_that_waits_longer_than_the_rest_already_counts() -> None:
    times, running = Recorder(), RunningLatencies()
    for query in range(10):
        add(times.issued, 0, query)
    for query in range(9):
        add(times.first, 5, query)
    assert running.look(times, 6 * MS).ttft_p99_ms == near(6)
    assert running.look(times, 5000 * MS).ttft_p99_ms == near(5000)


def test_an_id_that_loadgen_uses_again_is_a_new_query() -> None:
    times, running = Recorder(), RunningLatencies()
    for start in (0, 100):
        add(times.issued, start, 7)
        add(times.first, start + 20, 7)
        add(times.done, start + 40, 7, value=3)
        so_far = running.look(times, (start + 50) * MS)
    assert so_far.ttft_p99_ms == near(20)
    assert so_far.tpot_p99_ms == near(10)


def test_an_answer_of_one_token_has_no_time_per_token() -> None:
    times, running = Recorder(), RunningLatencies()
    add(times.issued, 0, 1)
    add(times.first, 5, 1)
    add(times.done, 5, 1, value=1)
    assert running.look(times, 6 * MS) == LatencySoFar(near(5), None)  # type: ignore[arg-type]
