"""`mlperf_log_accuracy.json` -> the token ids of each answer.

LoadGen keeps the bytes that a SUT handed in; which numbers they are is known to the SUT alone, so the reader
must be told, and refuses a type that gives ids which no tokenizer has.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.ground.errors import ArtifactError, ConfigError

DTYPES: dict[str, np.dtype[Any]] = {
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "float": np.dtype("<f4"),
}
"""Source: `--dtype` of evaluate-accuracy.py, whose default is int64. Assay's own logs hold int32."""


class Record(NamedTuple):
    """One logged answer."""

    qsl_idx: int
    token_ids: Sequence[int]


def read(path: Path, dtype: str, vocab_size: int) -> list[Record]:
    """All answers of a log, in its order.

    Raises: ArtifactError when the log is missing, cut short or empty, or its bytes are no ids of `dtype`
    below `vocab_size` (the type that would fit is named).
    """
    if dtype not in DTYPES:
        raise ConfigError(f"unknown dtype {dtype!r}", "one of: " + ", ".join(DTYPES))
    raw = [_raw_answer(path, number, entry) for number, entry in enumerate(_entries(path))]
    ids = _as_ids([answer for _, answer in raw], DTYPES[dtype], vocab_size)
    if ids is None:
        raise _wrong_dtype(path, [answer for _, answer in raw], dtype, vocab_size)
    return [Record(index, answer) for (index, _), answer in zip(raw, ids)]


def _entries(path: Path) -> list[Any]:
    try:
        entries = json.loads(path.read_bytes())
    except OSError as error:
        raise ArtifactError(
            f"{path}: {error.strerror or error}", "give the log of an accuracy run"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ArtifactError(
            f"{path}: no whole JSON ({error})", "the run may have been killed: run it again"
        ) from error
    if not isinstance(entries, list):
        raise ArtifactError(f"{path}: not an accuracy log of LoadGen (no list of answers)")
    if not entries:
        raise ArtifactError(
            f"{path}: holds no answers", "score the log of an accuracy run; a performance run logs none"
        )
    return entries


def _raw_answer(path: Path, number: int, entry: Any) -> tuple[int, bytes]:
    try:
        index, answer = entry["qsl_idx"], bytes.fromhex(entry["data"])
    except (TypeError, KeyError, ValueError) as error:
        raise ArtifactError(
            f"{path}: entry {number} has no readable qsl_idx and hexadecimal data ({error})"
        ) from error
    if type(index) is not int or index < 0:
        raise ArtifactError(f"{path}: entry {number}: qsl_idx {index!r:.40} is no sample index")
    return index, answer


def _as_ids(answers: list[bytes], dtype: np.dtype[Any], vocab_size: int) -> list[list[int]] | None:
    """Ids of each answer, or None when the bytes cannot be ids of that type."""
    if any(len(answer) % dtype.itemsize for answer in answers):
        return None
    flat = np.frombuffer(b"".join(answers), dtype)
    if not np.all((flat >= 0) & (flat < vocab_size)):
        return None
    if dtype.kind == "f" and not np.all(flat == np.floor(flat)):
        return None
    if dtype == DTYPES["int32"] and flat.size and _are_int64_halves(answers):
        return None
    every = flat.astype(np.int64).tolist()
    ends = np.cumsum([len(answer) // dtype.itemsize for answer in answers]).tolist()
    return [every[start:end] for start, end in zip([0, *ends], ends)]


def _are_int64_halves(answers: list[bytes]) -> bool:
    """True when each second int32 of every answer is 0: these are ids of 64 bits."""
    if any(len(answer) % 8 for answer in answers):
        return False
    return not np.frombuffer(b"".join(answers), "<i4")[1::2].any()


def _wrong_dtype(path: Path, answers: list[bytes], dtype: str, vocab_size: int) -> ArtifactError:
    fitting = [name for name, other in DTYPES.items() if _as_ids(answers, other, vocab_size) is not None]
    message = f"{path}: the answers are no {dtype} token ids below {vocab_size}"
    if fitting:
        return ArtifactError(message, f"they are {fitting[0]}: give --dtype {fitting[0]}")
    return ArtifactError(
        message, "give the tokenizer of the model that was run, and the dtype that it logged"
    )
