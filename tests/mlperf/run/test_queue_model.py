"""A system as a queue on LoadGen's schedule."""

from __future__ import annotations

import math

import numpy as np
import pytest

from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run import queue_model
from assay.mlperf.run.queue_model import SeenWait
from assay.mlperf.run.request_times import server_schedule_ns
from tests.bench.simulated_server import Simulated

SEEDS = Seeds(1, 2, 3)


def test_the_waits_are_those_of_a_queue_simulated_query_by_query() -> None:
    schedule, waits = Simulated(1, 0.1, 1.0, 60.0, SEEDS).run(9.0)
    assert queue_model.waits_s((schedule * 1e9).astype(np.int64), 10.0) == pytest.approx(waits, abs=1e-6)


def test_the_decisive_wait_is_the_longest_but_those_that_may_be_late() -> None:
    waits = np.array([3.0, 1.0, 2.0, 5.0])
    assert [queue_model.decisive_s(waits, allowed) for allowed in (0, 1, 3, 4)] == [5.0, 3.0, 1.0, 0.0]


@pytest.mark.parametrize("at_s", [10.0, 30.0, 1e6])
@pytest.mark.parametrize("target_qps", [9.0, 11.0])
def test_the_rate_at_full_load_is_read_back_from_a_part_of_a_run(target_qps: float, at_s: float) -> None:
    count = 600
    schedule = server_schedule_ns(SEEDS, target_qps, count)[:-1]
    come = schedule / 1e9 <= at_s
    waits = queue_model.waits_s(schedule, 10.0)[come]
    seen = queue_model.decisive_s(np.minimum(waits, at_s - schedule[come] / 1e9), 2)
    found = queue_model.full_rate(SEEDS, target_qps, count, 2, SeenWait(seen, at_s))
    assert found == pytest.approx(10.0, rel=1e-3)


def test_the_highest_rate_is_the_last_that_the_queue_passes() -> None:
    server = Simulated(1, 0.1, 2.0, 60.0, SEEDS)
    found = queue_model.highest_rate(SEEDS, 10.0, 2.0, lambda rate: max(459, math.ceil(60 * rate)))
    assert found == pytest.approx(server.best(), rel=2e-3)
    # No run of so few queries is VALID, at whatever rate: the least that is looked at is given.
    assert queue_model.highest_rate(SEEDS, 10.0, 2.0, lambda _: 100) == pytest.approx(3.0)


def test_a_part_is_as_hard_as_the_whole_once_the_worst_burst_is_in_it() -> None:
    final = 4000
    least = queue_model.least_queries(SEEDS, 9.5, 10.0, final)
    waits = queue_model.waits_s(server_schedule_ns(SEEDS, 9.5, final)[:-1], 10.0)
    assert 1000 <= least <= final
    allowed = 25
    assert queue_model.decisive_s(waits[:least], allowed) >= 0.95 * queue_model.decisive_s(waits, allowed)
    # Where the queue grows to the end, only the whole is as hard as the whole.
    assert queue_model.least_queries(SEEDS, 12.0, 10.0, final) >= 0.95 * final
    assert queue_model.least_queries(SEEDS, 9.5, 10.0, 600) == 600
