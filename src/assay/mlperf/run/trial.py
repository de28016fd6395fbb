"""A Server run at a rate that is being tried: its late queries are counted while it runs, and it ends when they tell.

The LoadGen child counts (`loadgen`), as it alone sees every query; it stops by the early-stopping rule for the whole
run (`early_stopping.judge`).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.mlperf.rounds.early_stopping import Judgement, allowed_over, judge
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run.request_times import CallReader, Recorder, server_schedule_ns
from assay.mlperf.run.run_spec import RunSpec

NS_PER_MS, NS_PER_S = 1e6, 1e9
SPARE_QUERIES = 64
"""Entries of the schedule beyond the last query, so that a query that LoadGen adds has its time too."""


@dataclass(frozen=True)
class StopRule:
    """When a trial may end. Picklable: it crosses into the LoadGen child."""

    seeds: Seeds
    target_qps: float
    latency: Latency
    final: int
    """Queries of the whole run."""
    least: int
    """Queries that must be answered before a trial passes without its end."""


@dataclass(frozen=True)
class Tally:
    """What was seen of a trial. A query without a first token counts as late as soon as it is."""

    verdict: Judgement
    issued: int
    answered: int
    late_ttft: int
    late_tpot: int
    decisive_ms: float = 0.0
    """The (k + 1)-th longest wait for a first token, ms; k is the number of queries that may be late in the whole
    run. 0 until so many are seen."""
    base_ms: float = 0.0
    """The shortest wait for a first token."""
    at_s: float = 0.0
    """When it was seen, on the clock of the schedule."""
    decisive_tpot_ms: float = 0.0
    """The (k + 1)-th longest time per token, ms; k as above. 0 until so many answers are seen."""
    base_tpot_ms: float = 0.0
    """The shortest time per token."""
    answer_tokens: float = 0.0
    """Mean length of an answer."""
    is_whole: bool = False
    """Whether LoadGen came to its own end."""

    @property
    def late(self) -> int:
        """LoadGen judges both kinds apart: the worse one decides."""
        return max(self.late_ttft, self.late_tpot)


class LateCount:
    """Counts the queries over a limit from the stamps of a run, each stamp once."""

    def __init__(self, rule: StopRule) -> None:
        self._rule = rule
        schedule = server_schedule_ns(rule.seeds, rule.target_qps, rule.final + SPARE_QUERIES)
        self._schedule: list[int] = schedule.tolist()
        self._start: int | None = None
        """LoadGen's start on the clock of the stamps, as late as it can be: no query is issued before its time."""
        self._waiting: dict[int, int] = {}
        """Query without a first token -> its scheduled time."""
        self._begun: dict[int, int] = {}
        """Query -> time of its first token."""
        self._issued = self._answered = self._late_ttft = self._late_tpot = 0
        self._kept = 1 + (allowed_over(rule.final) or 0)
        self._longest: list[int] = []
        """A heap of the longest waits for a first token, ns, as many as decide."""
        self._shortest: int | None = None
        self._slowest: list[float] = []
        """A heap of the longest times per token, ns, as many as decide."""
        self._fastest = math.inf
        self._tokens = 0
        self._reader = CallReader()

    def look(self, times: Recorder, now_ns: int) -> Tally:
        """The tally at `now_ns` of the stamps' clock."""
        issued, first, done = self._reader.new(times)
        for at, ids, _ in issued:
            self._issue(at, ids)
        for at, ids, _ in first:
            self._begin(at, ids)
        for at, ids, tokens in done:
            self._end(at, ids, tokens)
        overdue = sum(self._is_late(due, now_ns) for due in self._waiting.values())
        late_ttft = self._late_ttft + overdue
        verdict = judge(max(late_ttft, self._late_tpot), self._answered, self._rule.final)
        if verdict is Judgement.PASS and self._answered < self._rule.least:
            verdict = Judgement.UNSURE
        slowest = self._slowest[0] if len(self._slowest) == self._kept else 0.0
        return Tally(
            verdict=verdict,
            issued=self._issued,
            answered=self._answered,
            late_ttft=late_ttft,
            late_tpot=self._late_tpot,
            decisive_ms=self._decisive_ns(now_ns) / NS_PER_MS,
            base_ms=(self._shortest or 0) / NS_PER_MS,
            at_s=0.0 if self._start is None else (now_ns - self._start) / NS_PER_S,
            decisive_tpot_ms=slowest / NS_PER_MS,
            base_tpot_ms=(self._fastest if self._slowest else 0.0) / NS_PER_MS,
            answer_tokens=self._tokens / max(1, self._answered),
        )

    def _decisive_ns(self, now_ns: int) -> int:
        """With the waits so far of those that still wait."""
        start = self._start or 0
        waits = [*self._longest, *(now_ns - start - due for due in self._waiting.values())]
        return heapq.nlargest(self._kept, waits)[-1] if len(waits) >= self._kept else 0

    def _issue(self, at: int, ids: Iterable[int]) -> None:
        for query in ids:
            due = self._schedule[min(self._issued, len(self._schedule) - 1)]
            self._start = at - due if self._start is None else min(self._start, at - due)
            self._waiting[query] = due
            self._issued += 1

    def _begin(self, at: int, ids: Iterable[int]) -> None:
        for query in ids:
            if (due := self._waiting.pop(query, None)) is None:
                continue  # nobody waits for it: the LoadGen child ends such a run and names the sample
            self._late_ttft += self._is_late(due, at)
            self._keep(at - (self._start or 0) - due)
            self._begun[query] = at

    def _end(self, at: int, ids: Iterable[int], tokens: Iterable[int]) -> None:
        limit_ns = self._rule.latency.tpot_ms * NS_PER_MS
        for query, count in zip(ids, tokens):
            self._answered += 1
            began = self._begun.pop(query, at)  # without a first token LoadGen itself refuses the run
            self._waiting.pop(query, None)
            self._tokens += count
            if count > 1:
                pace = (at - began) / (count - 1)
                self._late_tpot += pace > limit_ns
                self._fastest = min(self._fastest, pace)
                _keep_longest(self._slowest, pace, self._kept)

    def _keep(self, wait: int) -> None:
        self._shortest = wait if self._shortest is None else min(self._shortest, wait)
        _keep_longest(self._longest, wait, self._kept)

    def _is_late(self, due: int, at: int) -> bool:
        assert self._start is not None
        return at - self._start - due > self._rule.latency.ttft_ms * NS_PER_MS


def _keep_longest(heap: list[Any], value: float, most: int) -> None:
    if len(heap) < most:
        heapq.heappush(heap, value)
    elif value > heap[0]:
        heapq.heapreplace(heap, value)


def final_queries(spec: RunSpec) -> int:
    """Queries of the whole Server run that LoadGen will generate.

    It plans queries until the duration is over and the minimum is reached, and rounds up to whole datasets where every
    sample is issued equally often. Source: LoadGen, GenerateQueries; held against its logs.
    """
    # More than a duration can have: twice the mean, and 1,000 where the mean is small.
    most = math.ceil(2 * spec.min_duration_ms / 1000 * spec.target_qps) + 1000
    schedule = server_schedule_ns(spec.seeds, spec.target_qps, most)
    by_duration = int(np.searchsorted(schedule, spec.min_duration_ms * 1_000_000, "right")) + 1
    count = max(spec.min_query_count or 1, by_duration if spec.min_duration_ms else 1)
    is_part = not spec.min_duration_ms and (spec.min_query_count or 0) % spec.samples != 0
    whole = spec.equal_issue and not is_part
    return spec.samples * math.ceil(count / spec.samples) if whole else count
