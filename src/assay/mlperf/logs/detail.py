"""mlperf_log_detail.txt: `:::MLLOG {json}` lines -> key and value, errors and warnings. Runs, submissions, the checker
and the audit all read it here.

A log of 15,000 samples is 100 KB, nearly all of it sample indices. Callers that need a few keys name them: lines are
then searched as bytes, and only wanted ones are parsed as JSON. `parse` never raises: whatever is wrong with a log is a
sentence in `faults`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError

DETAIL_BYTES_MAX = 256 << 20
"""Real logs hold 100-250 KB; anything past this is not one."""
MESSAGES_MAX = 20
MESSAGE_CHARS_MAX = 500
"""What is kept of errors and warnings. A choice: a report shows some of them, and a log may hold one a query."""
JUDGED_KEYS = frozenset(
    (
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
    )
)
"""What the checker, the audit and a submission need."""
_MARK = b":::MLLOG "
_KEY_STARTS = _MARK + b'{"key": "'
_FLAGS = (b'_error": true', b'_warning": true')
_NOT_A_NUMBER = re.compile(r'("value": )-?(?:nan|inf)\b')


@dataclass(frozen=True)
class DetailLog:
    """What LoadGen says of one run."""

    values: Mapping[str, Any]
    """key -> value of its first record, as the official log parser reads it. A figure printed as nan or inf is None."""
    errors: tuple[str, ...] = ()
    """Messages of records that LoadGen marked as errors (the first 20)."""
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """Why the official log parser cannot read the file: the first three reasons."""
    repeated: tuple[str, ...] = ()
    """Keys with several values that differ, messages aside: a log that was written twice or edited."""

    @property
    def is_complete(self) -> bool:
        """True when LoadGen came to its end: it writes `power_end` after the last completion."""
        return "power_end" in self.values

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

    def found_errors(self) -> Iterator[tuple[str, bool]]:
        """(message, whether it fails the run): `num_errors`, where the log has it, counts, and not the records.

        Source: MLPerfLog.num_errors of log_parser.py.
        """
        counted = self.values.get("num_errors", len(self.errors))
        messages = self.errors or ((f"num_errors is {counted}"[:200],) if counted != 0 else ())
        for message in messages:
            yield message, counted != 0

    @property
    def tokens_per_sample(self) -> float | None:
        """Mean length of the answers of a performance run; None where tokens were not counted."""
        tokens = self.number("result_tokens_per_second") or self.number("result_completed_tokens_per_second")
        samples = self.number("result_samples_per_second") or self.number("result_completed_samples_per_sec")
        return tokens / samples if tokens and samples else None


def read_detail(path: Path) -> DetailLog:
    """All keys of a log. Raises: ArtifactError when the file is absent, no regular file, oversized or no such log."""
    log = parse(read_log(path, DETAIL_BYTES_MAX))
    if not log.values:
        raise ArtifactError(f"{path} holds no LoadGen records", "name the mlperf_log_detail.txt of a run")
    return log


def parse(content: bytes, keys: AbstractSet[str] | None = None) -> DetailLog:
    """Read a detail log, or of its keys the given ones alone; bytes of any kind are accepted."""
    values: dict[str, Any] = {}
    repeated: dict[str, None] = {}
    faults: list[str] = []
    flagged: list[dict[str, Any]] = []
    may_be_flagged = any(flag in content for flag in _FLAGS)
    wanted = None if keys is None else _encoded(frozenset(keys))
    for line in content.split(b"\n"):
        is_flagged = may_be_flagged and any(flag in line for flag in _FLAGS)
        if not line.startswith(_MARK) or not (is_flagged or wanted is None or _is_wanted(line, wanted)):
            continue
        record, is_strict = _record(line[len(_MARK) :])
        if not is_strict:
            faults.append(f"not a JSON record: {line[:60].decode('utf-8', 'replace')}")
        if record is None:
            continue
        if is_flagged:
            flagged.append(record)
        key, value = record.get("key"), record.get("value")
        if not isinstance(key, str) or not (keys is None or key in keys):
            continue
        if values.setdefault(key, value) != value and not is_flagged and key != "generic_message":
            repeated[key] = None
    if not values and not faults:
        faults.append("no :::MLLOG record of LoadGen in it")
    errors, warnings = _messages(flagged, "is_error"), _messages(flagged, "is_warning")
    return DetailLog(values, errors, warnings, tuple(faults[:3]), tuple(repeated))


@cache
def _encoded(keys: frozenset[str]) -> frozenset[bytes]:
    return frozenset(key.encode() for key in keys)


def _is_wanted(line: bytes, keys: frozenset[bytes]) -> bool:
    """A record of a wanted key, or one whose key does not stand first, so that it must be parsed to be known."""
    if not line.startswith(_KEY_STARTS):
        return True
    end = line.find(b'"', len(_KEY_STARTS))
    return end < 0 or line[len(_KEY_STARTS) : end] in keys


def _messages(records: list[dict[str, Any]], flag: str) -> tuple[str, ...]:
    """Messages of the records with a flag, the first 20."""
    found = []
    for record in records:
        meta = record.get("metadata")
        if isinstance(meta, dict) and meta.get(flag) is True:
            found.append(f"{record.get('key')}: {record.get('value')}"[:MESSAGE_CHARS_MAX])
    return tuple(found[:MESSAGES_MAX])


def _record(line: bytes) -> tuple[dict[str, Any] | None, bool]:
    """(the object of one line, whether it is strict JSON).

    None stands for anything else, such as a number too long for Python and a nesting too deep. A line in which LoadGen
    printed a figure as nan is not strict; the figure is read as null.
    """
    try:
        record, is_strict = json.loads(line.decode()), True
    except (ValueError, RecursionError):
        record, is_strict = _lenient(line.decode("utf-8", "replace")), False
    return (record, is_strict) if isinstance(record, dict) else (None, False)


def _lenient(line: str) -> Any:
    try:
        return json.loads(_NOT_A_NUMBER.sub(r"\1null", line))
    except (ValueError, RecursionError):
        return None


def read_log(path: Path, bytes_max: int) -> bytes:
    """Content of a log. Raises: ArtifactError when it cannot or should not be read."""
    try:
        if not path.is_file():
            raise ArtifactError(f"no log file {path}", "name the folder that holds mlperf_log_*")
        size = path.stat().st_size
        if size > bytes_max:
            raise ArtifactError(
                f"{path} holds {size:,} bytes; a LoadGen log of this kind holds fewer than {bytes_max:,}"
            )
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read: {error.strerror}", "check the file's permissions"
        ) from error
