"""Rows of requests.parquet from another tool's records of its requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from assay.config import Mode, Scenario

ROUNDED_S = 1e-3
"""Times of one request may be rounded against each other: no tool that is read keeps less than ms."""
MOST_S = 4e9
"""On any clock that tools read, in the year 2096; in ns the distance of two such times fits int64."""


@dataclass(frozen=True)
class ForeignRequest:
    """One answered request; seconds of one clock."""

    sent_s: float
    first_s: float
    end_s: float
    prompt_tokens: int
    answer_tokens: int

    def __post_init__(self) -> None:
        """Raises: ValueError for times that do not follow each other, or negative counts."""
        times = (self.sent_s, self.first_s, self.end_s)
        is_ordered = all(later - earlier >= -ROUNDED_S for earlier, later in pairwise(times))
        if not is_ordered or not all(abs(each) < MOST_S for each in times):
            raise ValueError(
                "a request was sent at {} s, had its first token at {} s, ended at {} s".format(*times)
            )
        if min(self.prompt_tokens, self.answer_tokens) < 0:
            raise ValueError(f"a request has {self.prompt_tokens} and {self.answer_tokens} tokens")


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
