from __future__ import annotations

import pytest

from assay.config import Device, Precision
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.planner import SutWork
from assay.mlperf.workloads.workload import Generation
from assay.suts import endpoint_plan
from assay.suts.endpoint import KIND
from assay.suts.endpoint_faults import Faults
from assay.suts.endpoint_http import TIMEOUT_S
from tests.mock_server import mock

SAMPLES = [Sample(i, f"t.{i}", "", "", tuple(range(10, 40)), "", (), ()) for i in range(6)]


def work(is_closed: bool = True, **options: object) -> SutWork:
    rules = Generation(2, 30, 2)
    spec = SutSpec("endpoint", None, Device.CPU, Precision.FLOAT32, None, rules, True, options)  # type: ignore[arg-type]
    return SutWork(spec, "w", SAMPLES, [20] * 6, 30, is_closed=is_closed)


def test_a_server_that_does_not_answer_is_in_the_way_of_a_plan() -> None:
    (away,) = endpoint_plan.examine(work(url=("http://127.0.0.1:9",))).blockers
    assert isinstance(away, EnvironmentProblem) and "no server answers" in away.message
    with pytest.raises(ConfigError, match="no server is named"):
        endpoint_plan.examine(work())
    assert TIMEOUT_S <= 10


def test_a_server_that_answers_is_told_with_what_it_says_of_itself() -> None:
    with mock() as server:
        found = endpoint_plan.examine(work(url=(server.text,)))
    assert found.blockers == ()
    assert "serves mock: version mock" in found.notes[0] and "max_model_len 32768" in found.notes[0]


def test_every_server_that_is_away_is_in_the_way_by_its_name() -> None:
    with mock() as server:
        found = endpoint_plan.examine(work(url=("http://127.0.0.1:9", server.text, "http://127.0.0.1:7")))
    assert [error.message.split()[4] for error in found.blockers] == [
        "http://127.0.0.1:9:",
        "http://127.0.0.1:7:",
    ]


def test_another_model_and_a_server_that_fails_are_in_the_way() -> None:
    with mock(fault=[{"kind": "error", "probability": 1.0}]) as server:
        (other,) = endpoint_plan.examine(work(url=(server.text,), model="mixtral")).blockers
        (failed,) = endpoint_plan.examine(work(url=(server.text,), api="vllm")).blockers
        (silent,) = endpoint_plan.examine(work(url=(server.text,))).blockers
        assert endpoint_plan.seconds(work(url=(server.text,), api="vllm")) is None
    assert "serves no model 'mixtral'" in other.message and other.hint == "--model mock"
    assert "does not answer a short question" in failed.message and "HTTP 500" in failed.message
    assert "gave no answer; vllm: HTTP 500" in silent.message and f"assay probe {server.text}" in silent.hint


def test_settings_that_break_the_rules_are_in_the_way_of_a_closed_run_alone() -> None:
    with mock(context=59) as server:
        (closed,) = endpoint_plan.examine(work(url=(server.text,))).blockers
        opened = endpoint_plan.examine(work(is_closed=False, url=(server.text,)))
    assert "a closed run will be INVALID: context of 59 tokens" in closed.message
    assert "--division open" in closed.hint
    assert opened.blockers == () and any("context of 59" in note for note in opened.notes)


def test_a_prefix_cache_that_is_on_is_told() -> None:
    with mock(prefix_cache=True) as server:
        notes = endpoint_plan.examine(work(url=(server.text,))).notes
    assert any(note.startswith("prefix caching: it is on; every query has a salt") for note in notes)


def test_seconds_are_those_of_a_few_short_answers() -> None:
    with mock(ttft_ms=20, tpot_ms=5) as server:
        found = endpoint_plan.seconds(work(url=(server.text,)))
    assert found is not None and found.start_s == 0
    # 6 prompts of 30 tokens, each 20 ms up to its first token; 6 streams of 5 ms a token.
    assert found.answer_s >= 6 * 0.02 + 120 * 0.005 / 6
    assert found.answer_s_at_most > found.answer_s


def test_no_answer_is_asked_for_twice_unless_wanted() -> None:
    assert KIND.values({})["retries"] == ClientLimits().retries == 0


def test_faults_are_counted_by_kind_the_most_frequent_first() -> None:
    faults = Faults(answers=5)
    for kind in (FailureKind.CUT, FailureKind.STALL, FailureKind.STALL):
        faults.add(EndpointFailure(kind, "why"))
    assert [said[:1] for said in faults.sentences()] == ["2", "1"]
