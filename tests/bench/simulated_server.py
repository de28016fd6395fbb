"""A server whose best VALID rate is known: k slots, each busy with a query for a fixed time, on LoadGen's own schedule.

A probe is told as a trial would tell it, look by look, and costs the time that it would take.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
import random

import numpy as np

from assay.bench import tune
from assay.bench.tune_search import ABOVE, Done, Probe, Tried, next_probe
from assay.mlperf.rounds.early_stopping import Judgement, allowed_over, judge
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run import pace_model, queue_model
from assay.mlperf.run.request_times import server_schedule_ns
from assay.mlperf.run.trial import StopRule, Tally

LOOK_S = 0.25
LEAST = 459


@dataclasses.dataclass
class Simulated:
    """First come, first served; the first token is there when a slot takes the query, plus `base_s`."""

    slots: int
    service_s: float
    ttft_s: float
    duration_s: float
    seeds: Seeds
    base_s: float = 0.0
    jitter: float = 0.0
    """Each run is so much slower or faster, at most, than the one before."""
    probed_s: float = 0.0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seeds.schedule)

    @property
    def full_rate(self) -> float:
        return self.slots / self.service_s

    def queries(self, rate: float) -> int:
        return max(LEAST, math.ceil(rate * self.duration_s))

    def run(self, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """(scheduled times, waits for the first token), seconds, of the whole run."""
        schedule = server_schedule_ns(self.seeds, rate, self.queries(rate))[:-1] / 1e9
        service = self.service_s * (1 + self.jitter * self.chance.uniform(-1, 1))
        free = [0.0] * self.slots
        waits = np.empty(len(schedule))
        for query, due in enumerate(schedule.tolist()):
            start = max(due, heapq.heappop(free))
            heapq.heappush(free, start + service)
            waits[query] = start - due
        return schedule, waits + self.base_s

    def is_valid(self, rate: float) -> bool:
        _, waits = self.run(rate)
        return int((waits > self.ttft_s).sum()) <= (allowed_over(len(waits)) or 0)

    def best(self) -> float:
        """By simulation of LoadGen's schedule, without jitter."""
        calm = dataclasses.replace(self, jitter=0.0)
        low, high = 0.3 * self.full_rate, 1.1 * self.full_rate
        while high / low > 1.0005:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if calm.is_valid(middle) else (low, middle)
        return low

    def first_guess(self) -> float:
        return queue_model.highest_rate(self.seeds, self.full_rate, self.ttft_s, self.queries)

    def probe(self, asked: Probe, full_rate: float) -> Tried:
        """`full_rate`: what is known of it."""
        rate = asked.target_qps
        schedule, waits = self.run(rate)
        final, allowed = len(waits), allowed_over(len(waits))
        assert allowed is not None
        least = queue_model.least_queries(self.seeds, rate, full_rate, final)
        ended = np.sort(schedule + waits + self.service_s)
        late_at = np.sort(schedule[waits > self.ttft_s] + self.ttft_s)
        tally = Tally(Judgement.UNSURE, 0, 0, 0, 0)
        for now in np.arange(LOOK_S, ended[-1] + 2 * LOOK_S, LOOK_S):
            seen, late = int(np.searchsorted(ended, now)), int(np.searchsorted(late_at, now))
            verdict = judge(late, seen, final)
            if verdict is Judgement.FAIL or (verdict is Judgement.PASS and seen >= least):
                tally = self._tally(verdict, schedule, waits, float(now), allowed, (seen, late))
                break
        self.probed_s += tally.at_s
        stop = StopRule(self.seeds, rate, Latency(1000 * self.ttft_s, 1e9), final, least)
        fitted, foreseen = tune.foretold(tally, stop, self.queries)
        return Tried(
            rate, tally.verdict is Judgement.PASS, asked.reason, "", final, allowed, tally.issued, tally.answered,
            tally.late_ttft, 0, tally.at_s, False, "", fitted, foreseen,
        )  # fmt: skip

    def _tally(
        self,
        verdict: Judgement,
        schedule: np.ndarray,
        waits: np.ndarray,
        now: float,
        allowed: int,
        counts: tuple[int, int],
    ) -> Tally:
        seen, late = counts
        come = schedule <= now
        so_far = np.minimum(waits[come], now - schedule[come])
        decisive = 1000 * queue_model.decisive_s(so_far, allowed)
        return Tally(verdict, int(come.sum()), seen, late, 0, decisive, 1000 * self.base_s, now)

    def search(self, guess: float | None = None) -> tuple[Done, list[Tried]]:
        guess = guess or ABOVE * self.first_guess()
        history: list[Tried] = []
        while isinstance(step := next_probe(history, guess, self.duration_s), Probe):
            known = [each.full_rate for each in history if each.full_rate]
            history.append(self.probe(step, known[-1] if known else self.full_rate))
        return step, history


@dataclasses.dataclass
class Paced:
    """Its first tokens come at once, and each stream slows the others: the time per token decides."""

    base_s: float = 0.004
    slowing: float = 0.2
    tokens: int = 20
    tpot_s: float = 0.016
    duration_s: float = 60.0
    seeds: Seeds = dataclasses.field(default_factory=lambda: Seeds(1, 2, 3))
    probed_s: float = 0.0

    def queries(self, rate: float) -> int:
        return max(459, math.ceil(rate * self.duration_s))

    def run(self, rate: float) -> np.ndarray:
        schedule = server_schedule_ns(self.seeds, rate, self.queries(rate))[:-1] / 1e9
        return np.array(pace_model.paces_s(schedule.tolist(), self.base_s, self.slowing, self.tokens))

    def is_valid(self, rate: float) -> bool:
        paces = self.run(rate)[:, 1]
        return int((paces > self.tpot_s).sum()) <= (allowed_over(len(paces)) or 0)

    def best(self) -> float:
        """To half a percent."""
        rates = np.geomspace(80.0, 10.0, 400).tolist()
        return next(float(rate) for rate in rates if self.is_valid(rate))

    def search(self, guess: float) -> tuple[Done, list[Tried]]:
        history: list[Tried] = []
        while isinstance(step := next_probe(history, guess, self.duration_s), Probe):
            history.append(self.probe(step))
        return step, history

    def probe(self, asked: Probe) -> Tried:
        """Ended as soon as too many are late."""
        rate = asked.target_qps
        ends, paces = self.run(rate).T
        allowed = allowed_over(len(ends)) or 0
        late = np.cumsum(paces > self.tpot_s)
        fails = int(late[-1]) > allowed
        seen = int(np.argmax(late > allowed)) + 1 if fails else len(ends)
        at_s, found = float(ends[seen - 1]), np.sort(paces[:seen])
        self.probed_s += at_s
        verdict = Judgement.FAIL if fails else Judgement.PASS
        decisive = float(found[-1 - allowed]) if seen > allowed else 0.0
        tally = Tally(
            verdict, seen, seen, 0, int(late[seen - 1]), 1.0, 1.0, at_s, 1000 * decisive, 1000 * float(found[0]),
            self.tokens,
        )  # fmt: skip
        stop = StopRule(self.seeds, rate, Latency(2000.0, 1000 * self.tpot_s), len(ends), 0)
        full, foreseen = tune.foretold(tally, stop, self.queries)
        assert full is None  # the time per token decides
        return Tried(
            rate, not fails, asked.reason, "", len(ends), allowed, seen, seen, 0, int(late[seen - 1]), at_s, True, "",
            None, foreseen,
        )  # fmt: skip
