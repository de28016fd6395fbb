from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.config import Device, Mode, Precision
from assay.ground.errors import AssayError, EnvironmentProblem, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import Answer, FirstToken, Query, SutSpec, Used
from assay.mlperf.workloads.workload import Generation
from assay.suts import endpoint_sut
from assay.suts.endpoint_sut import EndpointSut
from tests.endpoint.tiny_server import TinyServer

ANSWER = [5, 13, 99, 13, 7, 2]
WARM = 4
"""Requests of the warm-up: one for each sample."""


class Collected:
    """A sink that keeps what it gets, in order."""

    def __init__(self) -> None:
        self.firsts: list[FirstToken] = []
        self.answers: dict[int, list[int]] = {}
        self.events: list[str] = []

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        self.firsts += tokens
        self.events += [f"first {token.id}" for token in tokens]

    def done(self, answers: Sequence[Answer]) -> None:
        self.answers |= {answer.id: list(answer.token_ids) for answer in answers}
        self.events += [f"done {answer.id}" for answer in answers]

    def progress(self, message: str) -> None:
        pass

    def worst_endpoint(self, words: str) -> None:
        self.worst = words


def built(
    *urls: str, server: bool = True, stops: bool = False, **options: Any
) -> tuple[EndpointSut, Collected]:
    samples = [
        Sample(i, f"t.{i}", "", "", (1, 1, 50 + i, 60), "", (), (13, 99, 13) if stops and i == 3 else ())
        for i in range(WARM)
    ]
    spec = SutSpec(
        "endpoint",
        None,
        Device.CPU,
        Precision.FLOAT32,
        None,
        Generation(2, 32, 2),
        server,
        {"url": urls, "api": "vllm", "client_check": 0.0, **options},
    )
    sink = Collected()
    return endpoint_sut.build(spec, samples, sink), sink


def asked(sut: EndpointSut, count: int = 8) -> Used:
    sut.issue([Query(100 + i, i % WARM) for i in range(count)])
    sut.flush()
    used = sut.used()
    sut.close()
    return used


def echoed(request: dict[str, Any]) -> list[int]:
    """Tells which prompt it is the answer to."""
    return [request["prompt"][2], *ANSWER]


def test_each_query_gets_the_exact_ids_of_its_own_answer_and_first_its_first_token() -> None:
    with TinyServer(echoed) as server:
        sut, sink = built(server.url)
        used = asked(sut)
    assert sink.answers == {100 + i: [50 + i % 4, *ANSWER[:-1]] for i in range(8)}
    assert {(t.id, t.token_id) for t in sink.firsts} == {(100 + i, 50 + i % 4) for i in range(8)}
    assert all(sink.events.index(f"first {i}") < sink.events.index(f"done {i}") for i in range(100, 108))
    assert used.faults == ()


def test_what_only_a_client_can_tell_is_told_in_the_definitions_of_other_tools() -> None:
    with TinyServer(echoed) as server:
        sut, _ = built(server.url)
        used = asked(sut)
    found = used.definitions
    assert set(found) == {"vllm bench serve", "guidellm", "AIPerf", "MLPerf Endpoints"}
    assert found["vllm bench serve"]["ITL"] >= 0 and found["MLPerf Endpoints"]["TPOT"] >= 0
    assert min(told["TTFT"] for told in found.values()) > 0
    (run,) = used.details["client"]["runs"]
    assert run["stamped"] + run["unstamped"] == run["answers"]
    assert (run["unstamped"] == 0) is (run["arrival_clock"] == "the kernel's clock")


def test_every_sampling_rule_is_sent_and_no_prompt_of_the_run_is_in_the_warm_up() -> None:
    with TinyServer(echoed) as server:
        sut, _ = built(server.url)
        asked(sut)
    prompts = [tuple(request["prompt"]) for request in server.requests][: WARM + 8]
    assert not set(prompts[:WARM]) & set(prompts[WARM:])
    sent = server.requests[WARM]
    assert (sent["temperature"], sent["min_tokens"], sent["max_tokens"]) == (0.0, 2, 32)
    salts = [request["cache_salt"] for request in server.requests[: WARM + 8]]
    assert len(set(salts)) == len(salts)
    assert server.headers[-1]["Accept-Encoding"] == "identity"


def test_connections_are_kept_and_no_more_are_opened_than_may_be_in_flight() -> None:
    with TinyServer(echoed) as server:
        sut, _ = built(server.url, max_in_flight=2)
        used = asked(sut, 40)
        assert used.details["endpoints"][0]["connections"] <= 2


def test_an_answer_ends_with_the_stop_sequence_of_its_sample() -> None:
    with TinyServer(lambda _: ANSWER) as server:
        sut, sink = built(server.url, stops=True)
        used = asked(sut, 4)
    assert sink.answers[103] == [5, 13, 99, 13]
    assert sink.answers[102] == ANSWER[:-1]
    assert used.faults == ()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("reset", "before any byte"),
        ("429", "because of load"),
        ("503", "not ready, or no longer"),
        ("500", "HTTP 500"),
        ("cut", "broke off"),
        ("error", "out of memory"),
        ("abort", "gave up"),
        ("short", "fewer tokens"),
        ("lies", "7 ids came, and the server counts 8"),
        ("bos", "4 ids were sent, and the server counts 5"),
        ("stall", "no byte"),
    ],
)
def test_an_answer_that_fails_is_completed_and_never_forgotten(fault: str, said: str) -> None:
    limit = {"stall_timeout": 1.0} if fault == "stall" else {}
    with TinyServer(echoed, fault, faulty_from=WARM) as server:
        sut, sink = built(server.url, **limit)
        used = asked(sut, 4)
    (told,) = used.faults
    assert said in told and told.startswith("4 of 4 answers failed")
    assert sorted(sink.answers) == [100, 101, 102, 103]
    assert sorted(token.id for token in sink.firsts) == [100, 101, 102, 103]


def test_a_failure_stays_when_later_answers_are_right() -> None:
    with TinyServer(echoed, "500", faulty_from=WARM) as server:
        sut, _ = built(server.url)
        sut.issue([Query(1, 0)])
        sut.flush()
        server.fault = ""
        used = asked(sut, 4)
    assert used.faults[0].startswith("1 of 5 answers failed")


def test_a_refused_request_is_tried_again_only_when_asked_for() -> None:
    with TinyServer(echoed, "503", faulty_from=WARM) as server:
        sut, _ = built(server.url, retries=1, max_in_flight=1)
        used = asked(sut, 2)
    assert len(server.requests) == WARM + 4
    assert used.details["retries"] == 2


def test_a_client_process_that_dies_makes_the_run_invalid_and_nothing_hangs() -> None:
    with TinyServer(echoed, "stall", faulty_from=WARM) as server:
        sut, sink = built(server.url, clients="2")
        sut.issue([Query(100 + i, i % WARM) for i in range(4)])
        for pid in sut.clients:
            os.kill(pid, signal.SIGKILL)
        used = asked(sut, 4)
    assert sorted(sink.answers) == [100, 101, 102, 103]
    assert used.faults[0].startswith("8 of 8 answers failed: the process of Assay that carried it ended")
    assert used.details["client"]["processes"] == 2


def test_the_record_says_how_the_client_fared_and_what_it_could_carry() -> None:
    with TinyServer(echoed) as server:
        sut, _ = built(server.url, client_check=0.05, max_in_flight=4)
        assert sut.used().details["client"]["ceiling"] is None  # nothing was asked yet
        sut.issue([Query(1, 0)])  # as a probe of the rate does: it is none of the run
        sut.flush()
        sut.begin(Mode.PERFORMANCE)
        used = asked(sut, 12)
    client = used.details["client"]
    assert client["ceiling"]["tokens"] == len(ANSWER) and client["ceiling"]["answers_per_s"] > 0
    assert [run["answers"] for run in client["runs"]] == [12]
    assert used.issue_delay_ms == client["issue_delay_p99_ms"] == client["runs"][0]["issue_delay_p99_ms"]
    assert any(note.startswith("client: 1 process, queries sent") for note in used.notes)


def test_two_servers_share_the_queries() -> None:
    with TinyServer(echoed) as one, TinyServer(echoed) as two:
        sut, sink = built(one.url, two.url)
        asked(sut, 40)
    assert len(sink.answers) == 40
    assert abs(len(one.requests) - len(two.requests)) <= 4
    assert sink.worst.startswith((one.url, two.url)) and " failed, " in sink.worst


@pytest.mark.parametrize("mode", [Mode.PERFORMANCE, Mode.ACCURACY])
@pytest.mark.parametrize("fault", ["reset", "500", "cut"])
def test_a_server_that_dies_ends_a_performance_run_and_others_take_its_queries_for_accuracy(
    fault: str, mode: Mode
) -> None:
    with TinyServer(echoed) as one, TinyServer(echoed) as two:
        sut, sink = built(one.url, two.url)
        two.fault, two.faulty_from = fault, 0
        sut.begin(mode)
        used = asked(sut, 40)
    assert len(sink.answers) == 40
    failed, taken = (sum(e[key] for e in used.details["endpoints"]) for key in ("failed", "handed_over"))
    if mode is Mode.ACCURACY:
        assert used.faults == () and failed == 0 and taken >= 1
        assert all(ids == [50 + (number - 100) % WARM, *ANSWER[:-1]] for number, ids in sink.answers.items())
        assert any("answered by another" in note and two.url in note for note in used.notes)
    else:
        assert used.faults and failed >= 1 and taken == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("fault", ["400", "500", "cut", "short", "lies"])
def test_a_server_whose_first_answers_fail_is_not_measured(fault: str) -> None:
    with TinyServer(echoed, fault) as server, pytest.raises(AssayError, match=r"HTTP 400|no use"):
        built(server.url)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with TinyServer(echoed) as server:
        url = server.url
    with pytest.raises(EnvironmentProblem, match="no server answers"):
        built(url)


def test_the_token_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_KEY", "s3cret-token")
    with TinyServer(echoed) as server:
        sut, _ = built(server.url, api_key_env="TINY_KEY")
        used = asked(sut, 1)
    assert server.headers[-1]["Authorization"] == "Bearer s3cret-token"
    assert "s3cret" not in repr(used)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_requests_that_are_refused_as_wrong_end_the_run() -> None:
    with TinyServer(echoed, "404", faulty_from=WARM) as server:
        sut, _ = built(server.url)
        sut.issue([Query(i, 0) for i in range(4)])
        with pytest.raises(RunFailed, match="refuses the requests as wrong: HTTP 404"):
            sut.flush()
        sut.close()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"id": "a"}, {"id": "b"}, "served model a before the run, and b after it"),
        (
            {"id": "a", "root": "/big"},
            {"id": "a", "root": "/small"},
            "model /big before the run, and /small after",
        ),
        ({"id": "a"}, {"id": "a", "root": "/a"}, ""),
        ({"id": "a"}, {}, ""),
    ],
)
def test_a_server_that_changes_its_model_during_a_run_makes_it_invalid(
    before: dict[str, str], after: dict[str, str], said: str
) -> None:
    with TinyServer(echoed) as server:
        server.model = before
        sut, _ = built(server.url)
        server.model = after
        faults = sut.used().faults
        server.model = before
        assert sut.used().faults == faults  # it stays
        sut.close()
    assert len(faults) == bool(said) and all(said in fault for fault in faults)


def test_a_cache_that_answers_the_same_prompt_again_is_found_and_breaks_the_closed_rules() -> None:
    seen: set[tuple[int, ...]] = set()

    def cached(request: dict[str, Any]) -> int:
        prompt = (*request["prompt"], request.get("cache_salt"))
        return len(prompt) if prompt in seen or seen.add(prompt) else 0

    with TinyServer(echoed, cached=cached) as server:
        sut, _ = built(server.url)
        used = asked(sut)
        assert used.details["cache"]["is_on"] is True
        assert used.breaches == ()  # every query had a salt of its own
        assert any("on; no query of a run came from it" in note for note in used.notes)


def test_answers_that_came_from_a_cache_break_the_closed_rules() -> None:
    with TinyServer(echoed, cached=lambda _: 3) as server:
        sut, _ = built(server.url)
        used = asked(sut, 4)
    assert used.faults == () and used.breaches == ("12 prompt tokens came from the server's prefix cache",)


@pytest.mark.parametrize(("cached", "said"), [(lambda _: 0, "off"), (None, "not known")])
def test_a_server_without_a_cache_is_not_accused(cached: Any, said: str) -> None:
    with TinyServer(echoed, cached=cached) as server:
        sut, _ = built(server.url)
        used = asked(sut)
    assert used.breaches == () and any(f"prefix cache: {said}" in note for note in used.notes)
