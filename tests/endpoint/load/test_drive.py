"""A level against the mock server: how many are open, when they are sent, what is kept of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.endpoint import single
from assay.endpoint.address import parse
from assay.endpoint.apis import APIS
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.failure import FailureKind
from assay.endpoint.load.drive import SALT, LevelProgress, LoadDrive, LoadPlan, LoadPrompt
from assay.endpoint.load.level import LoadKind, LoadLevel
from assay.endpoint.load.timing import LoadedRequest
from assay.endpoint.prompt import Prompt
from assay.endpoint.rotation import Endpoint
from assay.endpoint.sampling import Sampling
from assay.ground.errors import RunFailed
from tests.mock_server import mock

IDS = tuple(range(10, 74))


def prompts() -> list[LoadPrompt]:
    body = APIS["vllm"].body(Prompt(ids=IDS), Sampling(max_tokens=6), "mock", SALT)
    return [LoadPrompt(index, body, len(IDS)) for index in (3, 4)]


def drive(server: single.ProbedServer, duration_s: float = 0.4, **limits: Any) -> LoadDrive:
    api = APIS["vllm"]
    plan = LoadPlan(api, prompts(), duration_s, 1, ClientLimits(**{"silence_s": 2.0, **limits}))
    return LoadDrive(plan, [Endpoint.at(parse(server.text), api.path, None)])


def closed(streams: int) -> LoadLevel:
    return LoadLevel(LoadKind.CONCURRENCY, streams)


def ignore(_: LevelProgress) -> None:
    pass


def most_open(rows: list[LoadedRequest]) -> int:
    changes = sorted([(row.sent_ns, 1) for row in rows] + [(row.end_ns, -1) for row in rows])
    count = most = 0
    for _, change in changes:
        count += change
        most = max(most, count)
    return most


def test_a_closed_loop_keeps_its_requests_open_and_asks_no_more_after_its_time() -> None:
    with mock(ttft_ms=20, tpot_ms=2) as server:
        rows = drive(server).run(closed(3), ignore)
    assert len(rows) > 6 and all(row.failure is None for row in rows)
    assert most_open(rows) == 3
    assert max(row.due_ns for row in rows) < 0.4e9 <= max(row.end_ns for row in rows)
    assert {row.tokens for row in rows} == {6} and {len(row.chunks) for row in rows} == {6}
    assert {row.sample for row in rows} == {3, 4}
    assert all(row.due_ns <= row.sent_ns <= row.chunks[0][0] <= row.end_ns for row in rows)


def test_a_rate_is_sent_when_it_is_due_whether_answers_come_or_not() -> None:
    level = LoadLevel(LoadKind.RATE, 60)
    with mock(slots=1, ttft_ms=50) as server:
        rows = drive(server).run(level, ignore)
    due = [int(at * 1e9) for at in level.times_s(0.4, 1)]
    assert sorted(row.due_ns for row in rows) == pytest.approx(due, abs=2)
    assert most_open(rows) > 3  # a slot alone is far too slow for the rate
    assert max(row.ttft_ms for row in rows) > 100  # and the wait is in the latency


def test_every_request_has_a_salt_of_its_own_over_all_levels() -> None:
    with mock(prefix_cache=True) as server:
        both = drive(server, 0.1)
        rows = [*both.run(closed(2), ignore), *both.run(closed(2), ignore)]
        assert not any(row.cached_tokens for row in rows)
        assert "vllm:prefix_cache_hits_total 0\n" in single.fact(server, "/metrics")[1]
        logged = json.loads(single.fact(server, "/mock/log")[1])
    assert len(logged) == len(rows)


def test_a_failed_request_is_kept_with_its_kind_and_the_loop_goes_on() -> None:
    with mock(tpot_ms=1, fault=[{"kind": "close", "after": 2, "requests": [2]}]) as server:
        rows = drive(server, 0.2).run(closed(1), ignore)
    failures = [row.failure.kind for row in rows if row.failure]
    assert failures == [FailureKind.CUT] and len(rows) > 2


def test_a_server_that_refuses_everything_ends_the_level_soon() -> None:
    with mock(fault=[{"kind": "error", "probability": 1.0}]) as server:
        with pytest.raises(RunFailed, match=r"5\d requests failed in a row.*HTTP 500"):
            drive(server, 60).run(closed(4), ignore)
        with pytest.raises(RunFailed, match="failed in a row"):
            drive(server, 60).run(LoadLevel(LoadKind.RATE, 2000), ignore)


def test_progress_is_told_while_a_level_runs() -> None:
    told: list[LevelProgress] = []
    with mock(ttft_ms=30) as server:
        drive(server, 0.8).run(closed(2), told.append)
    assert told and told[-1].ended > 0 and told[-1].open <= 2 and told[-1].seconds > 0.4
