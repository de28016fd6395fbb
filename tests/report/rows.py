"""Made-up rows of requests.parquet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def table(
    count: int = 100,
    *,
    scenario: str = "Offline",
    mode: str = "performance",
    subset: str = "all",
    seed: int = 1,
    slower: float = 1.0,
) -> pa.Table:
    """Queries that begin one after the other and take about 0.1 s, `slower` times as long."""
    chance = np.random.default_rng(seed)
    tokens = chance.integers(20, 200, count)
    planned = np.zeros(count) if scenario == "Offline" else np.arange(count) * 1e7
    first = (np.arange(count) * 1e7 + chance.uniform(1e6, 5e6, count)) * slower
    end = first + (tokens - 1) * 5e5 * slower
    return pa.table(
        {
            "scenario": [scenario] * count,
            "mode": [mode] * count,
            "query": np.arange(count, dtype=np.int32),
            "sample_index": np.arange(count, dtype=np.int32),
            "subset": [subset] * count,
            "prompt_tokens": np.full(count, 10, np.int32),
            "answer_tokens": tokens.astype(np.int32),
            "scheduled_ns": planned.astype(np.int64),
            "issued_ns": planned.astype(np.int64),
            "first_token_ns": first.astype(np.int64),
            "end_ns": end.astype(np.int64),
            "endpoint": pa.nulls(count, pa.string()),
            "status": ["answered"] * count,
            "verdict": pa.nulls(count, pa.string()),
        }
    )
