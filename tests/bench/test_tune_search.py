"""The search for the highest VALID rate, on simulated servers under LoadGen's own schedule."""

from __future__ import annotations

import dataclasses
import heapq
import math
import random

import numpy as np
import pytest

from assay.bench.tune_search import (
    OFFICIAL_SHARE,
    RESOLUTION,
    Done,
    Probe,
    Tried,
    bracket,
    first_guess,
    least_queries,
    next_probe,
    stepped_down,
    waits_s,
)
from assay.mlperf.rounds.early_stopping import Judgement, allowed_over, judge
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run.request_times import server_schedule_ns

LOOK_S = 0.25
GUESS = 10.0


def tried(rate: float, passed: bool) -> Tried:
    return Tried(rate, passed, "", "", 1000, 2, 1000, 1000, 0, 0, 10.0, True, "")


@dataclasses.dataclass
class Simulated:
    """k slots, each busy for `service_s` with a query; first come, first served; first token when served."""

    slots: int
    service_s: float
    ttft_s: float
    duration_s: float
    seeds: Seeds
    probed_s: float = 0.0

    @property
    def full_rate(self) -> float:
        return self.slots / self.service_s

    def run(self, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """(scheduled times, waits), seconds, of the whole run."""
        count = max(459, math.ceil(rate * self.duration_s))
        schedule = server_schedule_ns(self.seeds, rate, count)[:-1] / 1e9
        free = [0.0] * self.slots
        waits = np.empty(count)
        for query, due in enumerate(schedule.tolist()):
            start = max(due, heapq.heappop(free))
            heapq.heappush(free, start + self.service_s)
            waits[query] = start - due
        return schedule, waits

    def is_valid(self, rate: float) -> bool:
        _, waits = self.run(rate)
        return int((waits > self.ttft_s).sum()) <= (allowed_over(len(waits)) or 0)

    def best(self) -> float:
        """By simulation of LoadGen's schedule."""
        low, high = 0.3 * self.full_rate, 1.1 * self.full_rate
        while high / low > 1.0005:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self.is_valid(middle) else (low, middle)
        return low

    def probe(self, asked: Probe) -> Tried:
        schedule, waits = self.run(asked.target_qps)
        final = len(waits)
        least = least_queries(self.seeds, asked.target_qps, self.full_rate, final)
        ends = schedule + waits + self.service_s
        late_at = np.sort(schedule[waits > self.ttft_s] + self.ttft_s)
        ended = np.sort(ends)
        now = verdict = seen = late = None
        for now in np.arange(LOOK_S, ended[-1] + LOOK_S, LOOK_S):
            seen, late = int(np.searchsorted(ended, now)), int(np.searchsorted(late_at, now))
            verdict = judge(late, seen, final)
            if verdict is Judgement.FAIL or (verdict is Judgement.PASS and seen >= least):
                break
        self.probed_s += float(now)
        return Tried(
            asked.target_qps,
            verdict is Judgement.PASS,
            asked.reason,
            "",
            final,
            0,
            final,
            seen,
            late,
            0,
            now,
            False,
            "",
        )

    def search(self, guess: float | None = None) -> tuple[Done, list[Tried]]:
        guess = guess or first_guess(self.seeds, self.full_rate, self.ttft_s, self.duration_s)
        history: list[Tried] = []
        while isinstance(step := next_probe(history, guess), Probe):
            history.append(self.probe(step))
        return step, history


def step_server(limit: float, guess: float, odd: frozenset[int] = frozenset()) -> tuple[Done, list[Tried]]:
    """A server that passes up to `limit`; the probes numbered in `odd` come out the wrong way."""
    history: list[Tried] = []
    while isinstance(step := next_probe(history, guess), Probe):
        passed = (step.target_qps <= limit) is not (len(history) in odd)
        history.append(tried(step.target_qps, passed))
    return step, history


@pytest.mark.parametrize("seed", range(40))
def test_the_bracket_closes_on_the_limit_wherever_the_search_begins(seed: int) -> None:
    chosen = random.Random(seed)
    limit = 10 ** chosen.uniform(-3, 4)
    done, history = step_server(limit, limit * 10 ** chosen.uniform(-1, 1))
    assert done.low is not None
    assert done.high is not None
    assert done.low <= limit <= done.high
    assert done.high / done.low <= RESOLUTION * 1.001
    assert len(history) <= 20


@pytest.mark.parametrize("seed", range(40))
def test_a_search_ends_also_when_outcomes_contradict_each_other(seed: int) -> None:
    chosen = random.Random(seed)
    done, history = step_server(5.0, 3.0, frozenset(chosen.sample(range(12), 4)))
    assert len(history) <= 24
    low, high = bracket(history)
    assert (done.low, done.high) == (low, high)
    if low is not None and high is not None:
        assert low < high


def test_a_pass_above_a_failure_is_tried_again_once() -> None:
    history = [tried(10.0, False), tried(11.0, True)]
    assert next_probe(history, GUESS) == Probe(10.0, "again: it failed, and a higher rate passed")
    assert bracket([*history, tried(10.0, True)]) == (11.0, None)
    again = next_probe([*history, tried(10.0, False)], GUESS)
    assert isinstance(again, Probe)
    assert again.target_qps < 10.0


def test_a_server_that_passes_nothing_ends_the_search() -> None:
    done, history = step_server(0.0, 10.0)
    assert done.low is None
    assert len(history) == 24


def test_an_official_run_that_failed_is_stepped_down_by_its_violations() -> None:
    assert [stepped_down(100.0, late, 40) for late in (45, 70, 400)] == [99.0, 98.0, 95.0]


def test_the_waits_of_one_server_are_those_of_a_queue_simulated_query_by_query() -> None:
    server = Simulated(1, 0.1, 1.0, 60.0, Seeds(1, 2, 3))
    schedule, waits = server.run(9.0)
    assert waits_s((schedule * 1e9).astype(np.int64), 10.0) == pytest.approx(waits, abs=1e-6)


@pytest.mark.parametrize("slots", [1, 8])
def test_nine_of_ten_seeds_are_valid_at_the_first_try_and_within_three_percent(slots: int) -> None:
    first_tries = 0
    for seed in range(10):
        server = Simulated(slots, slots / 20.0, 2.0, 60.0, Seeds(1, 2, 1000 + seed))
        done, _ = server.search()
        best = server.best()
        assert done.low is not None
        official = OFFICIAL_SHARE * done.low
        first_tries += server.is_valid(official)
        assert official <= best * 1.001
        assert official >= 0.97 * best
        assert server.probed_s <= 4 * server.duration_s
    assert first_tries >= 9
