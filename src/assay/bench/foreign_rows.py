"""Rows of requests.parquet from another tool's records of its requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from assay.config import Mode, Scenario


@dataclass(frozen=True)
class ForeignRequest:
    """One answered request; seconds of one clock."""

    sent_s: float
    first_s: float
    end_s: float
    prompt_tokens: int
    answer_tokens: int


def table(scenario: Scenario, requests: Sequence[ForeignRequest]) -> pa.Table:
    """In the order of sending, from the first one on. No tool tells when a request was planned: that stays null."""
    ordered = sorted(requests, key=lambda each: each.sent_s)
    start, count = ordered[0].sent_s, len(ordered)
    nothing = pa.nulls(count, pa.string())

    def ns(seconds: Sequence[float]) -> pa.Array:
        return pa.array(np.round((np.array(seconds) - start) * 1e9).astype(np.int64))

    return pa.table(
        {
            "scenario": [scenario.value] * count,
            "mode": [Mode.PERFORMANCE.value] * count,
            "query": np.arange(count, dtype=np.int32),
            "sample_index": np.arange(count, dtype=np.int32),
            "subset": ["all"] * count,
            "prompt_tokens": np.array([each.prompt_tokens for each in ordered], np.int32),
            "answer_tokens": np.array([each.answer_tokens for each in ordered], np.int32),
            "scheduled_ns": pa.nulls(count, pa.int64()),
            "issued_ns": ns([each.sent_s for each in ordered]),
            "first_token_ns": ns([each.first_s for each in ordered]),
            "end_ns": ns([each.end_s for each in ordered]),
            "endpoint": nothing,
            "status": ["answered"] * count,
            "verdict": nothing,
        }
    )
