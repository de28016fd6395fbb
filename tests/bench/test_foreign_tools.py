"""JSON of other tools: every figure as the tool has it, with what it means by it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from assay.bench import foreign, foreign_tools
from assay.bench.foreign import ForeignRun
from assay.config import Scenario
from assay.ground.errors import ArtifactError
from tests.bench.foreign_files import AIPERF, GUIDELLM, VLLM

FILE = Path("folder/result.json")


def figures(run: ForeignRun) -> dict[str, float]:
    return {figure.metric: figure.value for figure in run.runs[0].figures}


def test_figures_of_vllm_bench_are_taken_as_they_stand() -> None:
    (run,) = foreign_tools.runs(VLLM, FILE)
    assert figures(run) == {
        "samples_per_s": 6.0,
        "tokens_per_s": 60.0,
        "ttft_mean": 30.0,
        "ttft_p50": 30.0,
        "ttft_p99.9": 39.98,
        "tpot_mean": 10.0,
        "tpot_p99": 10.1,
        "itl_p99": 15.8,
        "latency_p99": 129.8,
    }
    assert (run.tool, run.model, run.failed, run.started_at) == (
        "vllm bench serve",
        "org/model",
        1,
        "2026-11-29T03:03:27",
    )
    assert (run.runs[0].samples, run.runs[0].seconds, run.runs[0].scenario) == (3, 0.5, Scenario.SERVER)
    assert run.runs[0].effective["request_rate"] == 20.0
    assert {figure.file for figure in run.runs[0].figures} == {"source/result.json"}


def test_requests_of_vllm_bench_leave_out_those_that_failed() -> None:
    (run,) = foreign_tools.runs(VLLM, FILE)
    assert [each.sent_s for each in run.requests] == [100.2, 100.1, 100.3]
    assert run.requests[0].first_s == pytest.approx(100.23)
    assert run.requests[0].end_s == pytest.approx(100.32)


@pytest.mark.parametrize("rate", ["inf", float("inf"), None])
def test_all_requests_at_once_are_offline(rate: object) -> None:
    (run,) = foreign_tools.runs({**VLLM, "request_rate": rate}, FILE)
    assert run.runs[0].scenario is Scenario.OFFLINE


def test_without_details_vllm_bench_has_figures_and_no_requests() -> None:
    short = {key: value for key, value in VLLM.items() if not isinstance(value, list)}
    (run,) = foreign_tools.runs(short, FILE)
    assert run.requests == ()
    assert figures(run)["tpot_p99"] == 10.1


def test_each_benchmark_of_guidellm_is_a_run() -> None:
    streams, paced = foreign_tools.runs(GUIDELLM, FILE)
    assert [run.runs[0].scenario for run in (streams, paced)] == [Scenario.OFFLINE, Scenario.SERVER]
    found = figures(streams)
    assert (found["samples_per_s"], found["tokens_per_s"]) == (14.8, 355.8)
    assert (found["ttft_p99"], found["ttft_p99.9"], found["ttft_p5"], found["ttft_mean"]) == (
        49.9,
        50.9,
        1.0,
        32.2,
    )
    assert found["latency_p99"] == pytest.approx(131.0)
    assert (streams.version, streams.model, streams.failed) == ("0.8.1", "/models/m", 1)
    assert streams.started_at == "2026-11-29T03:28:23+00:00"
    assert len(streams.requests) == 2


def test_aiperf_gives_its_units() -> None:
    (run,) = foreign_tools.runs(AIPERF, FILE)
    found = figures(run)
    assert (found["samples_per_s"], found["tokens_per_s"], found["ttft_p99"]) == (12.5, 250.0, 39.0)
    assert (found["latency_mean"], found["latency_p99"]) == (100.0, 200.0)
    assert "ttft_std" not in found
    assert (run.model, run.version, run.runs[0].samples) == ("m", "0.3.0", 40)


def test_tools_keep_their_own_definitions() -> None:
    vllm, guidellm = foreign_tools.runs(VLLM, FILE)[0], foreign_tools.runs(GUIDELLM, FILE)[0]
    assert vllm.definitions["ttft"] == guidellm.definitions["ttft"] == "first token - sent"
    assert vllm.definitions["tpot"] != guidellm.definitions["tpot"]
    assert vllm.definitions["itl"] != guidellm.definitions["itl"]


@pytest.mark.parametrize("record", [None, [], 3, {}, {"benchmarks": 1}, {"hello": "world"}])
def test_json_of_no_known_tool_is_refused_with_what_is_known(record: object) -> None:
    with pytest.raises(ArtifactError) as caught:
        foreign_tools.runs(record, FILE)
    assert "guidellm" in caught.value.hint


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -1.0])
@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("p99_e2el_ms", "latency_p99 of source/result.json"),
        ("output_throughput", "tokens_per_s of source/result.json"),
        ("duration", "duration of Server"),
    ],
)
def test_a_figure_that_no_run_can_have_is_refused_with_its_name(field: str, name: str, value: float) -> None:
    with pytest.raises(
        ArtifactError, match=rf"result\.json is not what its tool writes: .*{name} is {value}"
    ):
        foreign_tools.runs({**VLLM, field: value}, FILE)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({**VLLM, "duration": 0}, "duration is 0"),
        ({**VLLM, "completed": 0}, "no request was answered"),
        ({**VLLM, "completed": -3}, "samples of Server is -3"),
        ({**VLLM, "failed": -1}, "failed requests is -1"),
        ({**VLLM, "request_throughput": 0.0}, "samples_per_s of source/result.json is 0.0"),
        ({**AIPERF, "benchmark_duration": {"avg": 0}}, "duration is 0"),
        ({**VLLM, "output_lens": [10, -10, 10, 0]}, "a request has 13 and -10 tokens"),
        ({**VLLM, "latencies": [0.12, 0.01, 0.13, 0.0]}, "first token at .* s, ended at 100.11 s"),
        ({**VLLM, "ttfts": [0.03, float("nan"), 0.04, 0.0]}, "first token at nan s"),
        ({**VLLM, "start_times": [1e300, 100.1, 100.3, 100.4]}, "a request was sent at 1e[+]300 s"),
    ],
)
def test_a_run_or_a_request_that_cannot_be_is_refused(record: dict[str, Any], said: str) -> None:
    with pytest.raises(ArtifactError, match=said):
        foreign_tools.runs(record, FILE)


def test_a_latency_of_zero_is_taken() -> None:
    (run,) = foreign_tools.runs({**VLLM, "p99_tpot_ms": 0.0}, FILE)
    assert figures(run)["tpot_p99"] == 0.0


def test_a_setting_without_bound_can_be_kept_in_a_record(tmp_path: Path) -> None:
    (run,) = foreign_tools.runs({**VLLM, "burstiness": float("inf"), "request_rate": float("nan")}, FILE)
    assert run.runs[0].effective["burstiness"] == "inf"
    assert foreign.result(run).write(tmp_path).is_file()


def test_a_file_without_a_benchmark_is_no_run() -> None:
    with pytest.raises(ArtifactError, match="holds no benchmark that ended"):
        foreign_tools.runs({**GUIDELLM, "benchmarks": []}, FILE)


@pytest.mark.parametrize("record", [VLLM, GUIDELLM, AIPERF])
def test_a_figure_that_is_lacking_or_no_number_is_named(record: dict[str, Any]) -> None:
    for broken in ("text", None, [], {}):
        damaged = copy.deepcopy(record)
        for holder in (damaged, *(each["metrics"] for each in damaged.get("benchmarks", ()))):
            for key in ("completed", "request_count", "request_totals"):
                if key in holder:
                    holder[key] = broken
        with pytest.raises(ArtifactError, match=r"result\.json is not what its tool writes"):
            foreign_tools.runs(damaged, FILE)
