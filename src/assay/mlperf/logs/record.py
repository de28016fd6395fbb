"""RunRecord: one LoadGen run in figures with units, read from its detail log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assay.mlperf.logs.detail import DetailLog, read_detail
from assay.mlperf.logs.names import DETAIL_FILE
from assay.mlperf.rounds.round import Seeds

PERCENTILES = (50.0, 90.0, 95.0, 97.0, 99.0, 99.9)
NS_PER_MS = 1e6

_PERCENTILE_KEYS = {
    "latency": "result_{:.2f}_percentile_latency_ns",
    "ttft": "result_first_token_{:.2f}_percentile_latency_ns",
    "tpot": "result_time_per_output_token_{:.2f}_percentile_ns",
}
_RANGE_KEYS = {
    "latency": "result_{}_latency_ns",
    "ttft": "result_first_token_{}_latency_ns",
    "tpot": "result_time_to_output_token_{}",
}
_POWER_TIME = "%m-%d-%Y %H:%M:%S.%f"


@dataclass(frozen=True)
class Distribution:
    """One kind of latency over all queries, milliseconds."""

    min_ms: float
    mean_ms: float
    max_ms: float
    percentile_ms: Mapping[float, float]
    """50, 90, 95, 97, 99, 99.9 -> ms"""


@dataclass(frozen=True)
class RunRecord:
    """What one LoadGen run came to. None = LoadGen did not report it."""

    scenario: str
    test_mode: str
    """PerformanceOnly, AccuracyOnly, …"""
    validity: str
    """VALID or INVALID; empty for an accuracy run, which LoadGen does not judge."""
    invalid_because: tuple[str, ...]
    samples: int | None
    """Samples answered."""
    seconds: float | None
    """From the first query to the last answer."""
    samples_per_s: float | None
    """Server: completed, not scheduled."""
    tokens_per_s: float | None
    """Server: completed, not scheduled."""
    latencies: Mapping[str, Distribution]
    """`latency` (query), and in Server `ttft` (first token) and `tpot` (time per further token)"""
    early_stopping: Mapping[str, str]
    """`ttft`, `tpot`, `overall` -> LoadGen's words"""
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    effective: Mapping[str, Any]
    """Settings that LoadGen ran with, without the prefix `effective_`."""
    requested: Mapping[str, Any]
    """Settings as they reached LoadGen, without the prefix `requested_`."""
    loadgen_version: str
    seeds: Seeds | None
    is_complete: bool
    """False for a log that stops before the end of the run."""


def read_record(folder: Path) -> RunRecord:
    """The record of the logs in `folder`. Raises: ArtifactError when there is no readable detail log."""
    return record_of(read_detail(folder / DETAIL_FILE))


def record_of(log: DetailLog) -> RunRecord:
    scenario, test_mode = _text(log, "effective_scenario"), _text(log, "effective_test_mode")
    return RunRecord(
        scenario=scenario,
        test_mode=test_mode,
        validity=_text(log, "result_validity"),
        invalid_because=_invalid_because(log),
        samples=_samples(log),
        seconds=_seconds(log),
        samples_per_s=_first(log, "result_samples_per_second", "result_completed_samples_per_sec"),
        tokens_per_s=_first(log, "result_tokens_per_second", "result_completed_tokens_per_second"),
        latencies={
            kind: found for kind in _PERCENTILE_KEYS if (found := _distribution(log, kind)) is not None
        },
        early_stopping={kind: words for kind in ("ttft", "tpot") if (words := _early_stopping(log, kind))},
        errors=log.errors,
        warnings=log.warnings,
        effective=_with_prefix(log, "effective_"),
        requested=_with_prefix(log, "requested_"),
        loadgen_version=_text(log, "loadgen_version"),
        seeds=_seeds(log),
        is_complete=log.is_complete,
    )


def _invalid_because(log: DetailLog) -> tuple[str, ...]:
    """LoadGen's reasons for INVALID: each rule that was not met, then its advice."""
    if _text(log, "result_validity") != "INVALID":
        return ()
    rules = {
        "result_min_duration_met": "the run was shorter than the minimum duration",
        "result_min_queries_met": "fewer queries than the minimum",
        "result_perf_constraints_met": "latency limits were exceeded",
        "early_stopping_met": "too few queries for early stopping" + _queries_missing(log),
    }
    unmet = [reason for key, reason in rules.items() if log.values.get(key) is False]
    advice = [
        part.strip() for part in re.split(r"\n|(?<=\.)\s+(?=[A-Z])", _text(log, "result_invalid_reason"))
    ]
    return tuple(unmet + [part for part in advice if part])


def _early_stopping(log: DetailLog, kind: str) -> str:
    """LoadGen's words without its bullets."""
    return " ".join(_text(log, f"early_stopping_{kind}_result").replace("*", " ").split())


def _queries_missing(log: DetailLog) -> str:
    """How many more LoadGen asks for; nothing where latencies are over their limits, as none would then suffice."""
    found = re.findall(
        r"at least (\d+) more", " ".join(_early_stopping(log, kind) for kind in ("ttft", "tpot"))
    )
    is_late = log.values.get("result_perf_constraints_met") is False
    return f": {max(map(int, found))} more are needed" if found and not is_late else ""


def _samples(log: DetailLog) -> int | None:
    if not log.is_complete:
        return None
    if _text(log, "effective_scenario") == "Offline":  # one query that holds them all
        size = log.number("generated_samples_per_query")
    else:
        size = _first(log, "result_query_count", "generated_query_count")
    return None if size is None else int(size)


def _seconds(log: DetailLog) -> float | None:
    try:
        begin = datetime.strptime(_text(log, "power_begin"), _POWER_TIME)
        end = datetime.strptime(_text(log, "power_end"), _POWER_TIME)
    except ValueError:
        return None
    return (end - begin).total_seconds()


def _distribution(log: DetailLog, kind: str) -> Distribution | None:
    lowest, mean, highest = (log.number(_RANGE_KEYS[kind].format(end)) for end in ("min", "mean", "max"))
    if lowest is None or mean is None or highest is None:
        return None
    percentiles = {p: log.number(_PERCENTILE_KEYS[kind].format(p)) for p in PERCENTILES}
    return Distribution(
        lowest / NS_PER_MS,
        mean / NS_PER_MS,
        highest / NS_PER_MS,
        {p: value / NS_PER_MS for p, value in percentiles.items() if value is not None},
    )


def _seeds(log: DetailLog) -> Seeds | None:
    names = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")
    qsl, sample_index, schedule = (log.values.get(f"effective_{name}") for name in names)
    if isinstance(qsl, int) and isinstance(sample_index, int) and isinstance(schedule, int):
        return Seeds(qsl, sample_index, schedule)
    return None


def _text(log: DetailLog, key: str) -> str:
    return log.text(key) or ""


def _first(log: DetailLog, *keys: str) -> float | None:
    return next((value for key in keys if (value := log.number(key)) is not None), None)


def _with_prefix(log: DetailLog, prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in log.values.items() if key.startswith(prefix)}
