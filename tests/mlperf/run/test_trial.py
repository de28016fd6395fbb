"""Trials: late queries are counted while LoadGen runs, and the run ends when they tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.config import Scenario
from assay.mlperf import logs
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.early_stopping import Judgement, allowed_over
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run.request_times import Recorder, server_schedule_ns
from assay.mlperf.run.trial import LateCount, StopRule, final_queries
from tests.mlperf.loadgen_job import SAMPLES, run_spec, session

SEEDS = rounds.load("v5.1").seeds
LIMITS = Latency(100.0, 10.0)


def rule(final: int = 1000, least: int = 0, qps: float = 50.0) -> StopRule:
    return StopRule(SEEDS, qps, LIMITS, final, least)


def answered(times: Recorder, schedule: list[int], ttft_ms: list[float], tpot_ms: float = 1.0) -> int:
    """Queries issued on time, with these first tokens, and five tokens each; the time of the last end."""
    at = {kind: [] for kind in ("issued", "first", "done")}  # type: dict[str, list[tuple[int, int]]]
    for query, ttft in enumerate(ttft_ms):
        first = schedule[query] + int(ttft * 1e6)
        at["issued"].append((schedule[query], query))
        at["first"].append((first, query))
        at["done"].append((first + int(4 * tpot_ms * 1e6), query))
    for kind, stamps in at.items():
        added = getattr(times, kind)
        for when, query in stamps:
            added.add(np.array([query], np.uint64), np.array([5], np.int32))
            added._at[-1] = 10**12 + when
    return 10**12 + max(when for when, _ in at["done"])


@pytest.fixture
def schedule() -> list[int]:
    return server_schedule_ns(SEEDS, 50.0, 2000).tolist()


def test_late_first_tokens_are_counted_from_the_scheduled_time(schedule: list[int]) -> None:
    times = Recorder()
    end = answered(times, schedule, [0.0, 99.0, 101.0, 150.0, 1.0])
    tally = LateCount(rule()).look(times, end)
    assert (tally.issued, tally.answered, tally.late_ttft, tally.late_tpot) == (5, 5, 2, 0)
    assert tally.verdict is Judgement.UNSURE


def test_slow_tokens_are_counted_apart(schedule: list[int]) -> None:
    times = Recorder()
    tally = LateCount(rule()).look(times, answered(times, schedule, [0.0] * 4, tpot_ms=10.5))
    assert (tally.late_ttft, tally.late_tpot, tally.late) == (0, 4, 4)
    assert tally.verdict is Judgement.FAIL  # two of 1,000 would be allowed


def test_the_time_per_token_that_decides_is_told_with_the_shortest(schedule: list[int]) -> None:
    times, count = Recorder(), LateCount(rule())
    assert count.look(times, 10**12).decisive_tpot_ms == 0
    answered(times, schedule, [0.0] * 4)
    for place, pace in enumerate((3.0, 9.0, 2.0, 7.0)):  # two of 1,000 may be late: the third slowest decides
        times.done._at[place] = 10**12 + schedule[place] + int(4 * pace * 1e6)
    tally = count.look(times, 10**12 + 10**10)
    assert (tally.decisive_tpot_ms, tally.base_tpot_ms, tally.answer_tokens) == pytest.approx((3.0, 2.0, 5.0))


def test_a_query_that_still_waits_beyond_its_limit_is_late(schedule: list[int]) -> None:
    times = Recorder()
    answered(times, schedule, [0.0])
    times.issued.add(np.array([7], np.uint64), np.array([0], np.int32))
    times.issued._at[-1] = 10**12 + schedule[1]
    count = LateCount(rule())
    assert count.look(times, 10**12 + schedule[1] + 99_000_000).late_ttft == 0
    assert count.look(times, 10**12 + schedule[1] + 101_000_000).late_ttft == 1


def test_the_wait_that_decides_is_told_with_those_who_still_wait(schedule: list[int]) -> None:
    times = Recorder()
    end = answered(times, schedule, [5.0, 40.0, 30.0, 20.0])
    count = LateCount(rule())  # two of 1,000 may be late: the third longest decides
    tally = count.look(times, end)
    assert (tally.decisive_ms, tally.base_ms) == (20.0, 5.0)
    assert tally.at_s == pytest.approx((end - 10**12) / 1e9)
    times.issued.add(np.array([7], np.uint64), np.array([0], np.int32))
    times.issued._at[-1] = 10**12 + schedule[4]
    assert count.look(times, 10**12 + schedule[4] + 35_000_000).decisive_ms == 30.0
    assert LateCount(rule()).look(Recorder(), 1).decisive_ms == 0.0


def test_looking_twice_counts_nothing_twice(schedule: list[int]) -> None:
    times = Recorder()
    end = answered(times, schedule, [101.0, 0.0])
    count = LateCount(rule())
    assert count.look(times, end) == count.look(times, end)


def test_a_trial_passes_only_beyond_its_least_length(schedule: list[int]) -> None:
    times = Recorder()
    end = answered(times, schedule, [0.0] * 1500)
    assert LateCount(rule(final=2000, least=1501)).look(times, end).verdict is Judgement.UNSURE
    assert LateCount(rule(final=2000, least=1500)).look(times, end).verdict is Judgement.PASS


@pytest.mark.parametrize(
    ("qps", "duration_ms", "least", "equal_issue"),
    [(200.0, 500, SAMPLES, True), (140.0, 600, SAMPLES, False), (100.0, 100, 61, True)],
)
def test_loadgen_generates_as_many_queries_as_foreseen(
    tmp_path: Path, qps: float, duration_ms: int, least: int, equal_issue: bool
) -> None:
    changes = {"min_duration_ms": duration_ms, "min_query_count": least, "max_query_count": None}
    spec = run_spec(tmp_path, Scenario.SERVER, target_qps=qps, equal_issue=equal_issue, **changes)
    with session(tmp_path, server=True) as running:
        running.run(spec)
    generated = logs.read_detail(spec.out / logs.DETAIL_FILE).number("generated_query_count")
    assert generated == final_queries(spec)


def test_a_hopeless_trial_ends_long_before_its_run_and_leaves_the_sut_ready(tmp_path: Path) -> None:
    limits = Latency(50.0, 200.0)
    spec = run_spec(
        tmp_path,
        Scenario.SERVER,
        target_qps=400.0,
        min_duration_ms=60_000,
        max_query_count=None,
        latency=limits,
    )
    final = final_queries(spec)
    stop = StopRule(spec.seeds, spec.target_qps, limits, final, final)
    allowed = allowed_over(final)
    assert allowed is not None
    with session(tmp_path, server=True, options={"pace": "200"}) as running:
        tally, record = running.trial(spec, stop)
        assert tally.verdict is Judgement.FAIL
        assert record is None
        assert allowed < tally.late_ttft <= tally.issued < final
        again = run_spec(tmp_path / "again", Scenario.SERVER, target_qps=100.0)
        assert running.run(again).samples == SAMPLES


def test_a_trial_that_ran_to_its_end_has_loadgens_record(tmp_path: Path) -> None:
    spec = run_spec(tmp_path, Scenario.SERVER)
    with session(tmp_path, server=True) as running:
        tally, record = running.trial(spec, StopRule(spec.seeds, 300.0, Latency(2000, 200), SAMPLES, SAMPLES))
    assert tally.verdict is Judgement.FAIL  # no run of 30 queries can hold the rule
    assert record is None or record.samples == SAMPLES


def test_a_first_token_that_nobody_waits_for_breaks_no_count(schedule: list[int]) -> None:
    times = Recorder()
    end = answered(times, schedule, [0.0, 101.0])
    for query in (1, 77):
        times.first.add(np.array([query], np.uint64), np.array([5], np.int32))
    tally = LateCount(rule()).look(times, end)
    assert (tally.issued, tally.answered, tally.late_ttft) == (2, 2, 1)
