"""The answers of an accuracy log as token ids that the tokenizer can have.

LoadGen keeps the bytes that a SUT handed in; which numbers they are is known to the SUT alone. A reader must be
told, and a type that gives ids which no tokenizer has is refused here, with the type that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from assay.ground.errors import ArtifactError
from assay.mlperf.logs.accuracy import DTYPES, read_accuracy
from assay.mlperf.logs.width import are_halves


class Record(NamedTuple):
    """One logged answer."""

    qsl_idx: int
    token_ids: Sequence[int]


def read(path: Path, dtype: str, vocab_size: int) -> list[Record]:
    """All answers of a log, in its order; `dtype` is int32 (what Assay logs), int64 or float.

    Raises: ArtifactError when the log is missing, damaged or empty, or its bytes are no ids of `dtype` below
    `vocab_size`.
    """
    try:
        records = _read(path, dtype)
    except ArtifactError:
        if fitting := _fitting(path, dtype, vocab_size):
            raise _wrong_dtype(path, dtype, fitting) from None
        raise
    if not records:
        raise ArtifactError(
            f"{path}: holds no answers", "score the log of an accuracy run; a performance run logs none"
        )
    if _are_ids(records, dtype, vocab_size):
        return records
    if fitting := _fitting(path, dtype, vocab_size):
        raise _wrong_dtype(path, dtype, fitting)
    raise ArtifactError(
        f"{path}: the answers hold ids that a vocabulary of {vocab_size} does not have",
        "give the tokenizer of the model that was run, and the dtype that it logged",
    )


def _read(path: Path, dtype: str) -> list[Record]:
    return [Record(entry.qsl_idx, entry.token_ids.tolist()) for entry in read_accuracy(path, dtype)]


def _are_ids(records: Sequence[Record], dtype: str, vocab_size: int) -> bool:
    ids = [record.token_ids for record in records if record.token_ids]
    if any(min(each) < 0 or max(each) >= vocab_size for each in ids):
        return False
    return not (dtype == "int32" and ids and all(map(are_halves, ids)))


def _fitting(path: Path, wrong: str, vocab_size: int) -> str:
    """Another dtype that makes ids of the log; `""` when none does."""
    for dtype in DTYPES:
        if dtype == wrong:
            continue
        try:
            records = _read(path, dtype)
        except ArtifactError:
            continue
        if records and _are_ids(records, dtype, vocab_size):
            return dtype
    return ""


def _wrong_dtype(path: Path, dtype: str, fitting: str) -> ArtifactError:
    return ArtifactError(
        f"{path}: the answers are no {dtype} token ids", f"they are {fitting}: give --dtype {fitting}"
    )
