"""mlperf_log_detail.txt as the checker needs it: a few keys, the errors and warnings, read in one pass.

A log of 15,000 samples is 100 KB, nearly all of it sample indices, so lines are searched as bytes and only
wanted ones parsed as JSON. Whatever is wrong with a log is a sentence in `faults`, never an exception.
"""

from __future__ import annotations

import json
import math
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
    "early_stopping_latency_ss",
    "result_samples_per_second",
    "result_tokens_per_second",
    "result_completed_samples_per_sec",
    "result_scheduled_samples_per_sec",
    "result_completed_tokens_per_second",
    "result_inferred_tokens_per_second",
    "result_inferred_completed_tokens_per_second",
    "result_first_token_99.00_percentile_latency_ns",
    "result_time_per_output_token_99.00_percentile_ns",
    "result_90.00_percentile_latency_ns",
    "num_errors",
]
_KEYS = frozenset(WANTED)
_KEY_BYTES = frozenset(key.encode() for key in WANTED)
_MARK = b":::MLLOG "
_KEY_STARTS = _MARK + b'{"key": "'
MESSAGES_MAX = 20


@dataclass(frozen=True)
class LogExcerpt:
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

    def found_errors(self) -> Iterator[tuple[str, bool]]:
        """(message, whether it fails the run): `num_errors`, where the log has it, counts, and not the records.

        Source: MLPerfLog.num_errors of log_parser.py.
        """
        counted = self.values.get("num_errors", len(self.errors))
        messages = self.errors or ((f"num_errors is {counted}"[:200],) if counted != 0 else ())
        for message in messages:
            yield message, counted != 0

    def flag(self, key: str) -> bool | None:
        """true and false, also in the quoted form of LoadGen 4.x; None when absent or something else."""
        value = self.values.get(key)
        return {"true": True, "false": False}.get(str(value).lower())

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    @property
    def tokens_per_sample(self) -> float | None:
        """Mean length of the answers of a performance run; None where tokens were not counted."""
        tokens = self.number("result_tokens_per_second") or self.number("result_completed_tokens_per_second")
        samples = self.number("result_samples_per_second") or self.number("result_completed_samples_per_sec")
        return tokens / samples if tokens and samples else None


def parse(content: bytes) -> LogExcerpt:
    """Read a detail log; bytes of any kind are accepted."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    may_be_flagged = b'_error": true' in content or b'_warning": true' in content
    flagged: list[dict[str, Any]] = []
    for line in content.split(b"\n"):
        is_flagged = may_be_flagged and (b'_error": true' in line or b'_warning": true' in line)
        if not (is_flagged or _is_wanted(line)):
            continue
        record = _record(line[len(_MARK) :])
        if record is None:
            faults.append(f"not a JSON record: {line[:60].decode('utf-8', 'replace')}")
            continue
        key = record.get("key")
        if isinstance(key, str) and key in _KEYS:
            values.setdefault(key, record.get("value"))  # the first counts: log_parser.py, __getitem__
        if is_flagged:
            flagged.append(record)
    if not values and not faults:
        faults.append("no :::MLLOG record of LoadGen in it")
    return LogExcerpt(
        values, _messages(flagged, "is_error"), _messages(flagged, "is_warning"), tuple(faults[:3])
    )


def _is_wanted(line: bytes) -> bool:
    """A record of a wanted key, or one whose key does not stand first, so that it must be parsed to be known."""
    if not line.startswith(_MARK):
        return False
    if not line.startswith(_KEY_STARTS):
        return True
    end = line.find(b'"', len(_KEY_STARTS))
    return end < 0 or line[len(_KEY_STARTS) : end] in _KEY_BYTES


def _messages(records: list[dict[str, Any]], flag: str) -> tuple[str, ...]:
    """What the records say that carry a flag, the first 20."""
    found = []
    for record in records:
        meta = record.get("metadata")
        if isinstance(meta, dict) and meta.get(flag) is True:
            found.append(f"{record.get('key')}: {record.get('value')}"[:200])
    return tuple(found[:MESSAGES_MAX])


def _record(line: bytes) -> dict[str, Any] | None:
    """The object of one line, or None; so for a number too long for Python and a nesting too deep."""
    try:
        record = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
