"""Each rule of a performance run, at its limit and just beyond it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.rules import performance
from assay.mlperf.checker.subjects import JudgedRun
from tests.mlperf.checker.parts import Parts, only

TTFT = "result_first_token_99__00_percentile_latency_ns"
TPOT = "result_time_per_output_token_99__00_percentile_ns"
CASES: list[tuple[Callable[[JudgedRun], Iterator[Fault]], str, str, Any, Any]] = [
    (performance.validity, "Offline", "result_validity", "VALID", "INVALID"),
    (performance.equal_issue, "Offline", "effective_sample_concatenate_permutation", "true", False),
    (performance.sample_count, "Offline", "effective_performance_sample_count", 15_000, 14_999),
    (performance.early_stopping, "Server", "early_stopping_met", True, "false"),
    (performance.target_latency, "Server", "effective_target_latency_ns", 20_000_000_000, 20_000_000_001),
    (performance.min_queries, "Offline", "effective_min_query_count", 1, 0),
    (performance.offline_samples, "Offline", "effective_samples_per_query", 15_000, 14_999),
    (performance.min_duration, "Offline", "effective_min_duration_ms", 600_000, 599_999),
    (performance.token_latencies, "Offline", "requested_use_token_latencies", True, None),
    (performance.latency, "Server", TTFT, 1_999_999_999, 2_000_000_000),
    (performance.latency, "Server", TPOT, 199_999_999, None),
    (performance.scenario, "Offline", "effective_scenario", "Offline", "Server"),
    (performance.metric, "Offline", "result_tokens_per_second", 0.1, 0),
    (performance.settings, "Offline", "effective_qsl_rng_seed", 5, None),
]


@pytest.mark.parametrize(
    ("rule", "scenario", "key", "good", "bad"), CASES, ids=[f"{c[0].__name__}-{c[2][:20]}" for c in CASES]
)
def test_a_value_at_its_limit_passes_and_one_beyond_is_one_fault(
    parts: Parts,
    rule: Callable[[JudgedRun], Iterator[Fault]],
    scenario: str,
    key: str,
    good: Any,
    bad: Any,
) -> None:
    assert list(rule(parts.run(scenario, **{key: good}))) == []
    fault = only(rule(parts.run(scenario, **{key: bad})))
    assert fault.path == parts.entry(scenario).performance_log
    assert fault.found and fault.expected


def test_the_reason_of_an_invalid_run_is_told(parts: Parts) -> None:
    run = parts.run(result_validity="INVALID", result_invalid_reason="Min duration\n not met.")
    assert only(performance.validity(run)).found == "INVALID Min duration not met."


def test_seeds_of_another_round_are_named_with_it(parts: Parts) -> None:
    other = performance.rounds.load("v4.1").seeds
    run = parts.run(
        effective_qsl_rng_seed=other.qsl,
        effective_sample_index_rng_seed=other.sample_index,
        effective_schedule_rng_seed=other.schedule,
    )
    fault = only(performance.seeds(run))
    assert fault.found.endswith("(the seeds of v4.1)") and fault.expected.count("=") == 3
    assert list(performance.seeds(parts.run())) == []


def test_an_error_of_loadgen_counts_as_num_errors_says(parts: Parts) -> None:
    run = parts.run(num_errors=None)
    failed = replace(run, log=replace(run.log, errors=("runtime: late",)))
    assert only(performance.loadgen_errors(failed)).severity is Severity.ERROR
    cleared = replace(failed, log=replace(failed.log, values={**failed.log.values, "num_errors": 0}))
    assert only(performance.loadgen_errors(cleared)).severity is Severity.WARNING


def test_the_result_is_read_only_from_a_log_of_the_folders_scenario(parts: Parts) -> None:
    assert performance.result_key(parts.entry()) == "result_tokens_per_second"
    assert performance.result_key(parts.entry("Server")) == "result_completed_tokens_per_second"
