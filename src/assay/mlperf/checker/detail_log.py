"""mlperf_log_detail.txt as the checker needs it: a few keys, the errors and warnings, read in one pass.

A log of 15,000 samples is 100 KB, nearly all of it sample indices, so lines are searched as bytes and only
wanted ones parsed as JSON. Whatever is wrong with a log is a sentence in `faults`, never an exception.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WANTED = [
    "loadgen_version",
    "test_datetime",
    "sut_name",
    "qsl_reported_total_count",
    "effective_scenario",
    "effective_test_mode",
    "effective_samples_per_query",
    "effective_target_qps",
    "effective_target_latency_ns",
    "effective_min_duration_ms",
    "effective_max_duration_ms",
    "effective_min_query_count",
    "effective_max_query_count",
    "effective_qsl_rng_seed",
    "effective_sample_index_rng_seed",
    "effective_schedule_rng_seed",
    "effective_performance_sample_count",
    "effective_accuracy_sample_count",
    "effective_sample_concatenate_permutation",
    "requested_use_token_latencies",
    "requested_server_ttft_latency",
    "requested_server_tpot_latency",
    "generated_samples_per_query",
    "generated_query_count",
    "result_validity",
    "result_invalid_reason",
    "early_stopping_met",
    "result_samples_per_second",
    "result_tokens_per_second",
    "result_completed_samples_per_sec",
    "result_completed_tokens_per_second",
    "result_inferred_tokens_per_second",
    "result_inferred_completed_tokens_per_second",
    "result_first_token_99.00_percentile_latency_ns",
    "result_time_per_output_token_99.00_percentile_ns",
    "result_90.00_percentile_latency_ns",
    "num_errors",
]
_KEYS = frozenset(WANTED)
_LINE = re.compile(
    rb'^:::MLLOG (\{"key": "(?:'
    + b"|".join(re.escape(key.encode()) for key in WANTED)
    + rb'|[^"]{0,80}(?:error|warning)[^"]{0,80})".*)$',
    re.MULTILINE,
)
_ODD_LINE = re.compile(rb'^:::MLLOG (?!\{"key": ")(.*)$', re.MULTILINE)
_FLAGGED = re.compile(rb'^:::MLLOG (.*"is_(?:error|warning)": true.*)$', re.MULTILINE)
MESSAGES_MAX = 20


@dataclass(frozen=True)
class DetailLog:
    values: Mapping[str, Any]
    """wanted key -> value of its last line"""
    errors: tuple[str, ...]
    """Messages of lines that LoadGen marked as errors (the first 20)."""
    warnings: tuple[str, ...]
    faults: tuple[str, ...]
    """What makes the file unreadable as a log."""

    def number(self, key: str) -> float | None:
        """A finite number, or None when the key is absent or something else (true and false included)."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return value if math.isfinite(value) else None

    def flag(self, key: str) -> bool | None:
        """true and false, also in the quoted form of LoadGen 4.x; None when absent or something else."""
        value = self.values.get(key)
        return {"true": True, "false": False}.get(str(value).lower())

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        return value if isinstance(value, str) else None


def parse(content: bytes) -> DetailLog:
    """Read a detail log; bytes of any kind are accepted."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for line in _lines(content):
        record = _record(line)
        if record is None:
            faults.append(f"not a JSON record: {line[:60].decode('utf-8', 'replace')}")
        elif isinstance(key := record.get("key"), str) and key in _KEYS:
            values[key] = record.get("value")
    errors, warnings = _flagged(content)
    if not values and not faults:
        faults.append("no :::MLLOG record of LoadGen in it")
    return DetailLog(values, tuple(errors[:MESSAGES_MAX]), tuple(warnings[:MESSAGES_MAX]), tuple(faults[:3]))


def _lines(content: bytes) -> Iterator[bytes]:
    for pattern in (_LINE, _ODD_LINE):
        for match in pattern.finditer(content):
            yield match[1]


def _flagged(content: bytes) -> tuple[list[str], list[str]]:
    """Messages of lines with is_error and with is_warning."""
    errors: list[str] = []
    warnings: list[str] = []
    if b'_error": true' not in content and b'_warning": true' not in content:
        return errors, warnings
    for match in _FLAGGED.finditer(content):
        record = _record(match[1]) or {}
        meta = record.get("metadata")
        message = f"{record.get('key')}: {record.get('value')}"[:200]
        if isinstance(meta, dict) and meta.get("is_error") is True:
            errors.append(message)
        elif isinstance(meta, dict) and meta.get("is_warning") is True:
            warnings.append(message)
    return errors, warnings


def _record(line: bytes) -> dict[str, Any] | None:
    """The object of one line, or None; so for a number too long for Python and a nesting too deep."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
