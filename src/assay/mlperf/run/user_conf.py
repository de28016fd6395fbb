"""user.conf: LoadGen's settings in its own format, and whether LoadGen took them.

LoadGen skips a setting without blanks round `=` in silence, and a key that is no longer read as well; so
every setting is held against what its detail log says afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.config import Mode
from assay.mlperf.compliance import audit_config
from assay.mlperf.run.run_spec import RunSpec


def text(spec: RunSpec) -> str:
    """user.conf of one run. Example line: `mixtral-8x7b.Offline.target_qps = 2.5`."""
    prefix = f"{spec.loadgen_key}.{spec.scenario.in_loadgen}"
    return "".join(f"{prefix}.{key} = {value}\n" for key, value in _settings(spec).items())


def differences(spec: RunSpec, logged: Mapping[str, Any]) -> list[str]:
    """How LoadGen's own account of the run differs from what was asked; empty when it does not.

    `logged`: key -> value of the detail log. Example: `seed qsl_rng_seed is 7, the round says 9`.
    """
    # LoadGen logs it only where it is on.
    logged = {"requested_use_token_latencies": False, **logged}
    found = [
        f"seed {name} is {logged.get(f'effective_{name}')}, the round says {seed}"
        for name, seed in seeds(spec).items()
        if logged.get(f"effective_{name}") != seed
    ]
    return found + [
        f"{key} is {logged.get(key)}, {value} was asked"
        for key, value in _expected(spec).items()
        if logged.get(key) != value and not _same_number(logged.get(key), value)
    ]


def seeds(spec: RunSpec) -> dict[str, int]:
    """LoadGen's name of each seed -> the round's value."""
    return {
        "qsl_rng_seed": spec.seeds.qsl,
        "sample_index_rng_seed": spec.seeds.sample_index,
        "schedule_rng_seed": spec.seeds.schedule,
    }


def _settings(spec: RunSpec) -> dict[str, object]:
    is_paced = spec.scenario.is_paced
    target = spec.target_latency_ms if spec.scenario.is_one_by_one else spec.target_qps
    chosen: dict[str, object] = {
        spec.scenario.target_field: _number(target),
        "min_duration": spec.min_duration_ms,
    }
    chosen["performance_sample_count_override"] = spec.samples
    if spec.min_query_count is not None:
        chosen["min_query_count"] = spec.min_query_count
    if _max_query_count(spec) is not None:
        chosen["max_query_count"] = _max_query_count(spec)
    if spec.answer_seed is not None:
        changed = audit_config.settings(spec.compliance)
        taken = ("min_query_count", "min_duration", "performance_issue_unique")
        chosen |= {key: changed[key] for key in taken if key in changed}
    is_part = chosen["min_duration"] == 0 and int(str(chosen.get("min_query_count", 0))) % spec.samples != 0
    if is_part:
        chosen["sample_concatenate_permutation"] = 0  # else LoadGen rounds a short run up to whole datasets
    if not spec.has_loadgen_settings:
        # As mlperf.conf has both for the models that it knows.
        chosen.setdefault("sample_concatenate_permutation", int(spec.equal_issue))
        chosen["use_token_latencies"] = int(spec.token_latencies)
        if is_paced and spec.latency is not None:
            chosen["target_latency"] = 0  # judged by first token and time per token instead
            chosen["ttft_latency"] = round(spec.latency.ttft_ms)
            chosen["tpot_latency"] = round(spec.latency.tpot_ms)
    return chosen


def _max_query_count(spec: RunSpec) -> int | None:
    """Server with a maximum that equals its minimum stops there anyway, and without logging an error.

    A compliance run has no maximum: its audit.config raises the minimum above a small dataset.
    """
    wanted = spec.max_query_count
    if spec.compliance or (spec.scenario.is_paced and wanted == spec.min_query_count):
        return None
    return wanted


def _expected(spec: RunSpec) -> dict[str, object]:
    """Keys of the detail log -> the value they must have."""
    changed = audit_config.settings(spec.compliance) if spec.compliance else {}
    expected: dict[str, object] = {
        "effective_scenario": spec.scenario.in_loadgen,
        "effective_test_mode": "AccuracyOnly" if spec.mode is Mode.ACCURACY else "PerformanceOnly",
        "effective_min_duration_ms": changed.get("min_duration", spec.min_duration_ms),
        "effective_performance_sample_count": spec.samples,
        "requested_use_token_latencies": spec.token_latencies,
    }
    if not spec.scenario.is_one_by_one:
        expected["effective_target_qps"] = spec.target_qps
    least = changed.get("min_query_count", spec.min_query_count)
    if least is not None and spec.mode is Mode.PERFORMANCE:
        expected["requested_min_query_count"] = least
    if spec.answer_seed is not None:
        expected["effective_accuracy_log_probability"] = 1
    elif changed:
        expected["effective_accuracy_log_sampling_target"] = changed["accuracy_log_sampling_target"]
    if changed:
        expected["effective_accuracy_log_rng_seed"] = changed["accuracy_log_rng_seed"]
    if spec.scenario.is_paced and spec.latency is not None:
        expected["requested_server_ttft_latency"] = round(spec.latency.ttft_ms) * 1_000_000
        expected["requested_server_tpot_latency"] = round(spec.latency.tpot_ms) * 1_000_000
    return expected


def _number(value: float) -> str:
    """LoadGen reads plain decimals; enough digits that it computes with the value that is recorded."""
    return f"{value:.12g}" if 1e-4 <= abs(value) < 1e11 else f"{value:.12f}"


def _same_number(logged: object, asked: object) -> bool:
    """LoadGen prints doubles with six significant digits."""
    if isinstance(logged, bool) or isinstance(asked, bool):
        return False
    if not isinstance(logged, (int, float)) or not isinstance(asked, (int, float)):
        return False
    return abs(logged - asked) <= 1e-5 * abs(asked)
