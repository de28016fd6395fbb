"""A Server run at a rate that is being tried: its late queries are counted while it runs, and it ends when they tell.

The LoadGen child counts (`loadgen`), as it alone sees every query; it stops by the early-stopping rule for the whole
run (`early_stopping.judge`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from assay.mlperf.rounds.early_stopping import Judgement, judge
from assay.mlperf.rounds.round import Latency, Seeds
from assay.mlperf.run.request_times import CallReader, Recorder, server_schedule_ns
from assay.mlperf.run.run_spec import RunSpec

NS_PER_MS = 1e6
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
        self._reader = CallReader()

    def look(self, times: Recorder, now_ns: int) -> Tally:
        """The tally at `now_ns` of the stamps' clock."""
        # The last kind first: whatever has an end in it has its beginning in the others.
        done, first, issued = (self._reader.new(stamps) for stamps in (times.done, times.first, times.issued))
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
        return Tally(verdict, self._issued, self._answered, late_ttft, self._late_tpot)

    def _issue(self, at: int, ids: Iterable[int]) -> None:
        for query in ids:
            due = self._schedule[min(self._issued, len(self._schedule) - 1)]
            self._start = at - due if self._start is None else min(self._start, at - due)
            self._waiting[query] = due
            self._issued += 1

    def _begin(self, at: int, ids: Iterable[int]) -> None:
        for query in ids:
            self._late_ttft += self._is_late(self._waiting.pop(query), at)
            self._begun[query] = at

    def _end(self, at: int, ids: Iterable[int], tokens: Iterable[int]) -> None:
        limit_ns = self._rule.latency.tpot_ms * NS_PER_MS
        for query, count in zip(ids, tokens):
            self._answered += 1
            began = self._begun.pop(query, at)  # without a first token LoadGen itself refuses the run
            self._waiting.pop(query, None)
            self._late_tpot += count > 1 and (at - began) / (count - 1) > limit_ns

    def _is_late(self, due: int, at: int) -> bool:
        assert self._start is not None
        return at - self._start - due > self._rule.latency.ttft_ms * NS_PER_MS


def final_queries(spec: RunSpec) -> int:
    """Queries of the whole Server run that LoadGen will generate.

    It plans queries until the duration is over and the minimum is reached, and rounds up to whole datasets where every
    sample is issued equally often. Source: LoadGen, GenerateQueries; held against its logs.
    """
    most = math.ceil(2 * spec.min_duration_ms / 1000 * spec.target_qps) + 1000
    schedule = server_schedule_ns(spec.seeds, spec.target_qps, most)
    by_duration = int(np.searchsorted(schedule, spec.min_duration_ms * 1_000_000, "right")) + 1
    count = max(spec.min_query_count or 1, by_duration if spec.min_duration_ms else 1)
    is_part = not spec.min_duration_ms and (spec.min_query_count or 0) % spec.samples != 0
    whole = spec.equal_issue and not is_part
    return spec.samples * math.ceil(count / spec.samples) if whole else count
