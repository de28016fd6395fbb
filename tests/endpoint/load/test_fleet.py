"""Several processes that are one level together, against the mock server."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from assay.endpoint import single
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.load.drive import LevelProgress
from assay.endpoint.load.fleet import LoadFleet, shares_of
from assay.endpoint.load.level import LoadKind, LoadLevel
from assay.endpoint.load.process import LoadSetting
from assay.ground.errors import EnvironmentProblem, RunFailed
from tests.endpoint.load.test_drive import closed, ignore, most_open, prompts
from tests.mock_server import mock


def setting(url: str, duration_s: float = 0.4) -> LoadSetting:
    limits = ClientLimits(silence_s=2.0, in_flight=64)
    return LoadSetting("vllm", (url,), None, prompts(), duration_s, 1, limits)


def test_open_requests_are_dealt_out_and_a_rate_is_given_whole() -> None:
    assert [each and each.value for each in shares_of(closed(7), 3)] == [3.0, 2.0, 2.0]
    assert [each and each.value for each in shares_of(closed(1), 2)] == [1.0, None]
    rate = LoadLevel(LoadKind.RATE, 0.5)
    assert shares_of(rate, 2) == [rate, rate]


def test_two_processes_are_one_closed_loop_and_one_rate() -> None:
    seen: list[LevelProgress] = []
    with (
        mock(ttft_ms=20, tpot_ms=2, prefix_cache=True) as server,
        LoadFleet(setting(server.text), 2) as fleet,
    ):
        rows = fleet.run(closed(5), ignore)
        assert len(rows) > 6 and most_open(rows) == 5 and all(row.failure is None for row in rows)
        assert [row.query for row in rows] == list(range(len(rows)))
        assert [row.end_ns for row in rows] == sorted(row.end_ns for row in rows)
        rate = LoadLevel(LoadKind.RATE, 60)
        paced = fleet.run(rate, seen.append)
        due = [int(at * 1e9) for at in rate.times_s(0.4, 1)]
        assert sorted(row.due_ns for row in paced) == pytest.approx(due, abs=2)
        # No two of all levels and processes have the same salt.
        assert "vllm:prefix_cache_hits_total 0\n" in single.fact(server, "/metrics")[1]


def test_a_level_that_is_given_up_leaves_processes_for_the_next_one() -> None:
    with mock() as server:
        url = server.text
    with LoadFleet(setting(url), 2) as fleet:
        with pytest.raises(RunFailed, match="requests failed in a row"):
            fleet.run(closed(4), ignore)
        assert fleet.count == 2
        with pytest.raises(RunFailed, match="requests failed in a row"):
            fleet.run(closed(4), ignore)


def test_a_name_that_nobody_knows_is_said_before_any_level() -> None:
    with pytest.raises(EnvironmentProblem, match="name of a server is not known"):
        LoadFleet(setting("http://nowhere.invalid:1"), 1)


def test_a_process_that_is_killed_ends_the_level_and_leaves_none() -> None:
    with mock(ttft_ms=50) as server, LoadFleet(setting(server.text, 30.0), 2) as fleet:
        pids = fleet.pids

        def kill() -> None:
            time.sleep(0.3)
            os.kill(pids[1], signal.SIGKILL)

        threading.Thread(target=kill).start()
        with pytest.raises(RunFailed, match="a process of the load ended"):
            fleet.run(closed(2), ignore)
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        last = fleet.pids
    for pid in last:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
