"""mlperf_log_accuracy.json: an entry per answered sample, its token ids as hex of little-endian numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from assay.ground.errors import ArtifactError, ConfigError, did_you_mean
from assay.ground.parsed import json_value
from assay.mlperf.logs.detail import read_log

DTYPES: dict[str, np.dtype[Any]] = {
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "float": np.dtype("<f4"),
}
"""Name of the official evaluator's --dtype -> how ids lie in `data`."""
LINE_BYTES_MAX = 1 << 20
"""An answer of 1,024 int64 ids is 16 KB of hex."""
FILE_BYTES_MAX = 2 << 30
"""Read whole only when it is not in LoadGen's own form, one entry a line."""


@dataclass(frozen=True)
class LoggedAnswer:
    """One logged answer."""

    seq_id: int
    qsl_idx: int
    token_ids: NDArray[np.int64]
    first_ids: NDArray[np.int64] | None
    """`token_data`: what FirstTokenComplete delivered; None where the log has no such field."""
    token_count: int | None
    """n_tokens as reported by the SUT; None without token latencies."""


def read_accuracy(path: Path, dtype: str = "int32") -> Iterator[LoggedAnswer]:
    """The entries of a log, one at a time, in file order.

    Raises: ConfigError for an unknown dtype; ArtifactError (at the entry where it is found) for a file that
    is absent, cut short, no JSON list, or whose answers are not whole numbers of `dtype`.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"unknown dtype {dtype!r} of an accuracy log", did_you_mean(dtype, DTYPES))
    return _entries(path, dtype)


def _entries(path: Path, dtype: str) -> Iterator[LoggedAnswer]:
    for position, row in enumerate(_rows(path)):
        try:
            yield _entry(row, DTYPES[dtype])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"has no field {error}" if isinstance(error, KeyError) else str(error)
            raise ArtifactError(
                f"{path}: entry {position} {reason}",
                f"is its dtype really {dtype}? one of: {', '.join(DTYPES)}",
            ) from None


def _entry(row: Any, dtype: np.dtype[Any]) -> LoggedAnswer:
    if not isinstance(row, dict):
        raise TypeError("is no JSON object")
    first = row.get("token_data")
    count = row.get("token_count")
    return LoggedAnswer(
        _whole(row["seq_id"], "seq_id"),
        _whole(row["qsl_idx"], "qsl_idx"),
        _ids(row["data"], dtype),
        None if first is None else _ids(first, dtype),
        None if count is None else _whole(count, "token_count"),
    )


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"has {name} {value!r}, no whole number")
    return value


def _ids(data: object, dtype: np.dtype[Any]) -> NDArray[np.int64]:
    if not isinstance(data, str):
        raise TypeError("has data that is no text")
    try:
        raw = bytes.fromhex(data)
    except ValueError:
        raise ValueError("has data that is no hex") from None
    if len(raw) % dtype.itemsize:
        raise ValueError(f"has {len(raw)} bytes of data, no multiple of {dtype.itemsize}")
    values = np.frombuffer(raw, dtype)
    if dtype.kind == "f" and not ((abs(values) < 2**63).all() and (values == np.trunc(values)).all()):
        raise ValueError("has ids that are no whole numbers")
    return values.astype(np.int64)


def _rows(path: Path) -> Iterator[Any]:
    """Entries in LoadGen's form line by line; another form of the same JSON is read whole."""
    if not path.is_file():
        raise ArtifactError(f"no accuracy log {path}", "name an mlperf_log_accuracy.json")
    try:
        with path.open("rb") as file:
            if _is_line_form(file):
                yield from _lines(path, file)
                return
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read: {error.strerror}", "check the file's permissions"
        ) from error
    yield from _whole_list(path)


def _is_line_form(file: IO[bytes]) -> bool:
    """`[` alone on the first line, then `{ … },` or `]`."""
    start, second = file.readline(64), file.readline(LINE_BYTES_MAX)
    file.seek(0)
    return start.strip() == b"[" and (second.strip() == b"]" or second.rstrip().rstrip(b",").endswith(b"}"))


def _lines(path: Path, file: IO[bytes]) -> Iterator[Any]:
    file.readline()
    number = 1
    while line := file.readline(LINE_BYTES_MAX):
        number += 1
        entry = line.strip().rstrip(b",")
        if entry == b"]":
            if file.read(LINE_BYTES_MAX).strip():
                raise ArtifactError(f"{path} goes on after the end of its list, line {number}", "run again")
            return
        try:
            yield json.loads(entry)
        except (ValueError, RecursionError):
            raise ArtifactError(
                f"{path} is damaged or was cut short at line {number}",
                "a log of a packed submission holds only its ends: use the original, or run again",
            ) from None
    raise ArtifactError(f"{path} was cut short: its list has no end after line {number}", "run again")


def _whole_list(path: Path) -> list[Any]:
    try:
        rows = json_value(read_log(path, FILE_BYTES_MAX).decode("utf-8", "replace"))
    except ValueError as error:
        raise ArtifactError(f"{path} is no JSON: {error}", "name an mlperf_log_accuracy.json") from None
    if not isinstance(rows, list):
        raise ArtifactError(f"{path} is no JSON list of answers", "name an mlperf_log_accuracy.json")
    return rows
