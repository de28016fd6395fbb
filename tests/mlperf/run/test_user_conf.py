from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assay.config import Mode, Scenario
from assay.ground.errors import ConfigError
from assay.mlperf.compliance import audit_config
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run import user_conf
from assay.mlperf.run.run_spec import RunSpec

OFFLINE = RunSpec(
    scenario=Scenario.OFFLINE,
    mode=Mode.PERFORMANCE,
    loadgen_key="mixtral-8x7b",
    has_loadgen_settings=True,
    samples=30,
    target_qps=2.5,
    seeds=Seeds(1, 2, 3),
    out=Path("out"),
    user_conf=Path("run/user.conf"),
    min_query_count=30,
    max_query_count=30,
)
SERVER = dataclasses.replace(OFFLINE, scenario=Scenario.SERVER, latency=Latency(2000.0, 200.0))


def lines(spec: RunSpec) -> dict[str, str]:
    pairs = (line.split(" = ") for line in user_conf.text(spec).splitlines())
    return {key.split(".", 2)[2]: value for key, value in pairs}


def logged(spec: RunSpec, **changes: Any) -> dict[str, Any]:
    """The detail log of a run that took every setting."""
    values = {
        "effective_scenario": spec.scenario.value,
        "effective_test_mode": "PerformanceOnly",
        "effective_target_qps": spec.target_qps,
        "effective_min_duration_ms": 0,
        "effective_performance_sample_count": 30,
        "requested_use_token_latencies": True,
        "requested_min_query_count": 30,
        "requested_server_ttft_latency": 2_000_000_000,
        "requested_server_tpot_latency": 200_000_000,
        "effective_qsl_rng_seed": 1,
        "effective_sample_index_rng_seed": 2,
        "effective_schedule_rng_seed": 3,
    }
    return {**values, **changes}


def test_every_line_has_blanks_round_its_equals_sign() -> None:
    for line in user_conf.text(SERVER).splitlines():
        assert line.startswith("mixtral-8x7b.Server.") and line.count(" = ") == 1


def test_a_known_model_leaves_latencies_to_loadgen_and_another_brings_its_own() -> None:
    assert "use_token_latencies" not in lines(SERVER)
    own = lines(dataclasses.replace(SERVER, loadgen_key="mixtral-nano", has_loadgen_settings=False))
    assert (own["use_token_latencies"], own["ttft_latency"], own["tpot_latency"]) == ("1", "2000", "200")
    assert own["target_latency"] == "0"


def test_a_short_server_run_has_no_maximum_because_reaching_it_is_an_error() -> None:
    assert lines(OFFLINE)["max_query_count"] == "30"
    assert "max_query_count" not in lines(SERVER)
    assert lines(dataclasses.replace(SERVER, max_query_count=50))["max_query_count"] == "50"


def test_samples_are_issued_equally_often_except_in_a_run_over_a_part_of_them() -> None:
    assert "sample_concatenate_permutation" not in lines(OFFLINE)  # LoadGen knows this model
    assert (
        lines(dataclasses.replace(OFFLINE, loadgen_key="mixtral-nano", has_loadgen_settings=False))[
            "sample_concatenate_permutation"
        ]
        == "1"
    )
    part = dataclasses.replace(OFFLINE, min_query_count=31, max_query_count=31)
    assert lines(part)["sample_concatenate_permutation"] == "0"
    long = dataclasses.replace(OFFLINE, min_duration_ms=600_000, min_query_count=None, max_query_count=None)
    assert set(lines(long)) == {"target_qps", "min_duration", "performance_sample_count_override"}


@pytest.mark.parametrize("qps", [0.00001234, 0.0361, 1.0, 123_456.789])
def test_target_qps_is_written_as_a_plain_decimal(qps: float) -> None:
    text = lines(dataclasses.replace(OFFLINE, target_qps=qps))["target_qps"]
    assert "e" not in text and float(text) == pytest.approx(qps)


@pytest.mark.parametrize("spec", [OFFLINE, SERVER])
def test_a_log_that_says_what_was_asked_differs_in_nothing(spec: RunSpec) -> None:
    assert user_conf.differences(spec, logged(spec)) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("effective_qsl_rng_seed", 9, "seed qsl_rng_seed is 9, the round says 1"),
        ("effective_schedule_rng_seed", None, "seed schedule_rng_seed is None, the round says 3"),
        ("effective_min_duration_ms", 600_000, "effective_min_duration_ms is 600000, 0 was asked"),
        ("requested_min_query_count", 15_000, "requested_min_query_count is 15000, 30 was asked"),
        ("effective_target_qps", 1, "effective_target_qps is 1, 2.5 was asked"),
        ("requested_use_token_latencies", False, "requested_use_token_latencies is False, True was asked"),
        ("requested_server_ttft_latency", 1, "requested_server_ttft_latency is 1, 2000000000 was asked"),
    ],
)
def test_a_setting_that_loadgen_did_not_take_is_named_with_both_values(
    key: str, value: object, words: str
) -> None:
    assert user_conf.differences(SERVER, logged(SERVER, **{key: value})) == [words]


def test_a_rate_printed_with_six_digits_counts_as_the_one_asked() -> None:
    spec = dataclasses.replace(OFFLINE, target_qps=1234.56789)
    assert user_conf.differences(spec, logged(spec, effective_target_qps=1234.57)) == []


def test_test06_replaces_counts_and_asks_for_logged_answers() -> None:
    spec = dataclasses.replace(OFFLINE, compliance="TEST06")
    assert "*.*.accuracy_log_sampling_target = 100\n" in audit_config.text("TEST06")
    assert spec.audit_conf == Path("run/audit.config")
    assert "max_query_count" not in lines(spec)
    assert spec.expected_samples == 100
    taken = logged(
        spec,
        requested_min_query_count=100,
        effective_accuracy_log_sampling_target=100,
        effective_accuracy_log_rng_seed=720381539243781796,
    )
    assert user_conf.differences(spec, taken) == []
    assert len(user_conf.differences(spec, logged(spec))) == 3


def test_an_unknown_compliance_test_is_refused() -> None:
    with pytest.raises(ConfigError, match="TEST6") as failure:
        audit_config.text("TEST6")
    assert failure.value.hint == "did you mean TEST06?"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 30),
        ({"mode": Mode.ACCURACY, "min_query_count": 500}, 30),
        ({"min_duration_ms": 10_000, "target_qps": 10.0, "max_query_count": None}, 110),
        (
            {
                "min_duration_ms": 10_000,
                "target_qps": 10.0,
                "scenario": Scenario.SERVER,
                "max_query_count": None,
            },
            100,
        ),
    ],
)
def test_the_samples_of_a_run_are_known_before_it(changes: dict[str, Any], expected: int) -> None:
    assert dataclasses.replace(OFFLINE, **changes).expected_samples == expected


def test_token_latencies_that_loadgen_does_not_name_are_off() -> None:
    silent = {k: v for k, v in logged(OFFLINE).items() if k != "requested_use_token_latencies"}
    assert user_conf.differences(dataclasses.replace(OFFLINE, token_latencies=False), silent) == []
    assert user_conf.differences(OFFLINE, silent) == [
        "requested_use_token_latencies is False, True was asked"
    ]
