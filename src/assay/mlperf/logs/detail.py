"""mlperf_log_detail.txt: `:::MLLOG {json}` lines -> key and value, errors and warnings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError

MARK = ":::MLLOG"
DETAIL_BYTES_MAX = 256 << 20
"""Real logs hold 100-250 KB; anything past this is not one."""
_NOT_A_NUMBER = re.compile(r'("value": )-?(?:nan|inf)\b')


@dataclass(frozen=True)
class DetailLog:
    """What LoadGen says of one run."""

    values: Mapping[str, Any]
    """key -> value; of a key that occurs twice the last. A figure that LoadGen prints as nan is None."""
    repeated: tuple[str, ...]
    """Keys with several values that differ, messages aside: a log that was written twice or edited."""
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    unreadable: int
    """Marked lines that are no JSON object."""

    @property
    def is_complete(self) -> bool:
        """True when LoadGen came to its end: it writes `power_end` after the last completion."""
        return "power_end" in self.values

    def number(self, key: str) -> float | None:
        value = self.values.get(key)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def text(self, key: str) -> str:
        value = self.values.get(key)
        return value if isinstance(value, str) else ""


def read_detail(path: Path) -> DetailLog:
    """Raises: ArtifactError when the file is absent, no regular file, oversized or holds no LoadGen line."""
    lines = read_log(path, DETAIL_BYTES_MAX).splitlines()
    marked = [line.split(MARK, 1)[1] for line in lines if MARK in line]
    events = [event for event in map(_event, marked) if event is not None]
    if not events:
        raise ArtifactError(f"{path} holds no LoadGen records", "name the mlperf_log_detail.txt of a run")
    values: dict[str, Any] = {}
    repeated, errors, warnings = [], [], []
    for event in events:
        key, value, metadata = event["key"], event.get("value"), event.get("metadata")
        flags = metadata if isinstance(metadata, dict) else {}
        is_message = "generic_message" in key or bool(flags.get("is_error") or flags.get("is_warning"))
        if key in values and values[key] != value and not is_message and key not in repeated:
            repeated.append(key)
        values[key] = value
        if flags.get("is_error"):
            errors.append(f"{key}: {value}")
        elif flags.get("is_warning"):
            warnings.append(f"{key}: {value}")
    return DetailLog(values, tuple(repeated), tuple(errors), tuple(warnings), len(marked) - len(events))


def read_log(path: Path, bytes_max: int) -> str:
    """Text of a log, whatever bytes it holds. Raises: ArtifactError when it cannot or should not be read."""
    try:
        if not path.is_file():
            raise ArtifactError(f"no log file {path}", "name the folder that holds mlperf_log_*")
        size = path.stat().st_size
        if size > bytes_max:
            raise ArtifactError(
                f"{path} holds {size:,} bytes; a LoadGen log of this kind holds fewer than {bytes_max:,}"
            )
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read: {error.strerror}", "check the file's permissions"
        ) from error


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(_NOT_A_NUMBER.sub(r"\1null", line))
    except (ValueError, RecursionError):
        return None
    is_event = isinstance(event, dict) and isinstance(event.get("key"), str)
    return event if is_event else None
