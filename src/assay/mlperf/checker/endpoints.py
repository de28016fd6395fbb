"""Artefacts of MLPerf Endpoints in a scenario folder, read as the checker reads LoadGen's logs.

From v6.1 on an entry may hold, in place of LoadGen's logs, `config.yaml`, `performance/result_summary.json`,
`accuracy/accuracy_results.json` and `audit/audit_<name>.json`. Their figures come back under LoadGen's keys: the same
rules judge both. Source: EndpointsParser, ENDPOINTS_MAPPINGS and ENDPOINTS_YAML_FIELD_MAP of the modular checker
(b66003e1). One thing is read otherwise: tokens/s are never taken from samples/s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.mlperf.logs.detail import DetailLog
from assay.mlperf.submission.tree import ENDPOINTS_CONFIG

CONFIGS = (ENDPOINTS_CONFIG, "config.yml")
PUBLISHER_PATHS = ("performance/run_1/result_summary.json", "performance/run_1/config.yaml")
"""Where the publishing script of MLPerf Endpoints puts them; the checker does not look there."""
FIGURES = {
    "result_completed_samples_per_sec": ("qps",),
    "result_completed_tokens_per_second": ("tps",),
    "result_90.00_percentile_latency_ns": ("latency", "early_stopping_percentiles", "90.0"),
    "result_first_token_99.00_percentile_latency_ns": ("ttft", "early_stopping_percentiles", "99.0"),
    "result_time_per_output_token_99.00_percentile_ns": ("tpot", "early_stopping_percentiles", "99.0"),
    "mean_output_tokens": ("output_sequence_lengths", "avg"),
    "qsl_reported_total_count": ("n_samples_issued",),
    "num_errors": ("n_samples_failed",),
}
SETTINGS = {
    "effective_min_duration_ms": ("settings", "runtime", "min_duration_ms"),
    "effective_sample_index_rng_seed": ("settings", "runtime", "dataloader_random_seed"),
    "effective_schedule_rng_seed": ("settings", "runtime", "scheduler_random_seed"),
    "effective_min_query_count": ("settings", "runtime", "n_samples_to_issue"),
    "effective_target_qps": ("settings", "load_pattern", "target_qps"),
    "streaming": ("model_params", "streaming"),
}
OFFLINE_NAMES = {
    "result_completed_samples_per_sec": "result_samples_per_second",
    "result_completed_tokens_per_second": "result_tokens_per_second",
}


@dataclass(frozen=True)
class Measured:
    """One metric of accuracy_results.json, in the unit of its target."""

    metric: str
    value: float
    samples: int


def performance(summary: Mapping[str, Any], config: Mapping[str, Any], scenario: str) -> DetailLog:
    """result_summary.json and config.yaml under LoadGen's keys; null and absent values are left out."""
    found = {key: at(summary, path) for key, path in FIGURES.items()}
    found |= {key: at(config, path) for key, path in SETTINGS.items()}
    if scenario == "Offline":
        found = {OFFLINE_NAMES.get(key, key): value for key, value in found.items()}
    values = {key: value for key, value in found.items() if value is not None}
    return DetailLog(values | {"effective_scenario": _scenario(config, scenario)})


def accuracy(results: Mapping[str, Any]) -> DetailLog:
    """accuracy_results.json under LoadGen's keys: samples, and answers that failed."""
    counts = [_count(each) for each in _scored(results)]
    failed = [at(each, ("response_counts", "failed")) for each in _scored(results)]
    values: dict[str, Any] = {"num_errors": sum(n for n in failed if isinstance(n, int))}
    return DetailLog(values | ({"effective_accuracy_sample_count": sum(counts)} if counts else {}))


def measured(results: Mapping[str, Any], metrics: tuple[str, ...]) -> tuple[Measured, ...]:
    """The scores under the names of the workload's targets.

    A number without a name is rouge1 where ROUGE is asked for (all that MLPerf Endpoints returns of it), else
    exact_match; shares up to 1 are percent of the whole. Several sets are weighted by their rows, repeats left out, as
    gpt-oss's evaluator does. The mean length of the answers is tokens_per_sample.
    """
    plain = next((name for name in ("rouge1", "exact_match") if name in metrics), None)
    sums: dict[str, list[tuple[float, int]]] = {}
    for each in _scored(results):
        score = each.get("score")
        named = score if isinstance(score, Mapping) else {plain: score}
        length = at(each, ("output_sequence_lengths", "avg"))
        named = {"tokens_per_sample": length, **named}
        repeats = each.get("num_repeats")
        rows = _count(each) // (repeats if isinstance(repeats, int) and repeats > 0 else 1)
        for name, value in named.items():
            if name in metrics and (number := _number(value)) is not None:
                sums.setdefault(name, []).append((number, max(1, rows)))
    return tuple(
        Measured(name, _in_target_unit(name, pairs), sum(rows for _, rows in pairs))
        for name, pairs in sums.items()
    )


def as_text(scores: tuple[Measured, ...]) -> str:
    """The scores in the printed form of accuracy.txt."""
    return "".join(f"'{each.metric}': {each.value:.6f}\n" for each in scores)


def at(tree: Any, path: tuple[str, ...]) -> Any:
    """The value below nested keys, or None; `99.0` is also found as `99`."""
    for key in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(key, tree.get(key.removesuffix(".0")))
    return tree


def _in_target_unit(name: str, pairs: list[tuple[float, int]]) -> float:
    mean = sum(value * rows for value, rows in pairs) / sum(rows for _, rows in pairs)
    is_share = all(0 <= value <= 1 for value, _ in pairs) and (
        name.startswith("rouge") or name == "exact_match"
    )
    return 100 * mean if is_share else mean


def _scenario(config: Mapping[str, Any], folder: str) -> Any:
    """The scenario of the folder where the run's type allows it. Source: map_endpoints_scenario."""
    kind = str(config.get("type", "")).lower()
    if not kind:
        return None
    return (
        folder if kind in ("online", folder.lower()) and (kind != "online" or folder != "Offline") else kind
    )


def _scored(results: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    scores = results.get("accuracy_scores")
    for each in scores if isinstance(scores, list) else ():
        if isinstance(each, Mapping) and each.get("dataset_type") in (None, "accuracy"):
            yield each


def _count(scored: Mapping[str, Any]) -> int:
    found = scored.get("total_samples")
    found = at(scored, ("response_counts", "issued")) if found is None else found
    return found if isinstance(found, int) else 0


def _number(value: Any) -> float | None:
    try:
        number = (
            float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
