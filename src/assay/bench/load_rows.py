"""The requests of a load as rows of requests.parquet, and as the token times that definitions are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.endpoint.load.timing import LoadedRequest
from assay.mlperf.data.sample import Sample
from assay.mlperf.record import definitions
from assay.mlperf.record.definitions import Arrival, TokenTimes
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests

MODE = "load"
NS = 1e9


def table(label: str, rows: Sequence[LoadedRequest], samples: Sequence[Sample]) -> pa.Table:
    """Columns as docs/requests.md has them; `scenario` is the level, `status` names the failure of a failed one."""
    by_index = {sample.index: sample for sample in samples}
    chunks = [row.chunks for row in rows]
    return pa.table(
        {
            "scenario": _words([label] * len(rows)),
            "mode": _words([MODE] * len(rows)),
            "query": np.array([row.query for row in rows], np.int32),
            "sample_index": np.array([row.sample for row in rows], np.int32),
            "subset": _words([by_index[row.sample].subset for row in rows]),
            "prompt_tokens": pa.array([row.prompt_tokens for row in rows], pa.int32()),
            "answer_tokens": np.array([row.tokens for row in rows], np.int32),
            "scheduled_ns": np.array([row.due_ns for row in rows], np.int64),
            "issued_ns": np.array([row.sent_ns for row in rows], np.int64),
            "first_token_ns": pa.array([each[0][0] if each else None for each in chunks], pa.int64()),
            "end_ns": np.array([row.end_ns for row in rows], np.int64),
            "endpoint": pa.array([row.endpoint or None for row in rows], pa.string()),
            "status": _words([row.failure.kind.name if row.failure else "answered" for row in rows]),
            "verdict": pa.nulls(len(rows), pa.string()),
            "chunks": np.array([len(each) for each in chunks], np.int32),
            "first_chunk_tokens": np.array([each[0][1] if each else 0 for each in chunks], np.int32),
            "cached_tokens": pa.array([row.cached_tokens for row in rows], pa.int32()),
            "failure": pa.array([row.failure.detail if row.failure else None for row in rows], pa.string()),
        }
    )


def append(folder: Path, fresh: pa.Table) -> None:
    """Adds the rows of a level to the file, whole or not at all. Raises: ArtifactError, EnvironmentProblem."""
    path = RunFolder(folder).requests
    kept = [requests.read(path)] if path.is_file() else []
    kept = [rows.filter(pa.compute.invert(_is_level(rows, fresh))) for rows in kept]
    requests.write(path, [*kept, fresh])


def _is_level(rows: pa.Table, fresh: pa.Table) -> pa.Array:
    """Of a level that was written, and whose record was lost with its process."""
    return pa.compute.is_in(
        rows["scenario"].cast(pa.string()), fresh["scenario"].cast(pa.string()).combine_chunks()
    )


def sheet(rows: Sequence[LoadedRequest]) -> dict[str, dict[str, float]]:
    """What five tools would tell of the level; empty where nothing was answered."""
    traces = [
        TokenTimes(row.due_ns / NS, row.sent_ns / NS, tuple(Arrival(at / NS, n) for at, n in row.chunks))
        for row in rows
        if row.failure is None
    ]
    if not traces:
        return {}
    return {tool: dict(told) for tool, told in definitions.sheet(definitions.columns(traces)).items()}


def _words(words: Sequence[str]) -> pa.Array:
    return pa.array(words, pa.string())
