"""One run by five tools' definitions: metrics of one name are not one metric. Pure; docs/definitions.md.

Source of each: the tool's own code, as docs/definitions.md tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOADGEN, VLLM, GUIDELLM = "LoadGen", "vllm bench serve", "guidellm"
AIPERF, ENDPOINTS = "AIPerf", "MLPerf Endpoints"
LOADGEN_DEFINITIONS = {
    "ttft": "first token - scheduled",
    "tpot": "(end - first token) / (tokens - 1)",
    "latency": "end - scheduled",
}
"""What LoadGen means by a kind of figure, in the words that imported runs use for theirs."""


@dataclass(frozen=True)
class Arrival:
    """Tokens that arrived together."""

    at_s: float
    tokens: int


@dataclass(frozen=True)
class TokenTimes:
    """An answered request; seconds from the start of the run. `chunks`: those with tokens, in order, at least one."""

    scheduled_s: float
    sent_s: float
    chunks: tuple[Arrival, ...]


Floats = NDArray[np.float64]
Sheet = Mapping[str, Mapping[str, float]]
"""Tool -> metric under its own name -> value."""


@dataclass(frozen=True)
class TokenColumns:
    """Answered requests, at least one; each array has an entry for each. Seconds from the start of the run."""

    scheduled_s: Floats
    sent_s: Floats
    first_s: Floats
    end_s: Floats
    tokens: NDArray[np.int64]
    first_chunk_tokens: NDArray[np.int64] | None = None
    """None = not known."""
    gaps_s: Floats | None = None
    """Between the chunks of each answer, all together; None = not known."""


def columns(traces: Sequence[TokenTimes]) -> TokenColumns:
    """Raises: ValueError without a request."""
    if not traces:
        raise ValueError("no request was answered")
    chunks = [trace.chunks for trace in traces]
    gaps = [after.at_s - before.at_s for each in chunks for before, after in pairwise(each)]
    return TokenColumns(
        scheduled_s=np.array([trace.scheduled_s for trace in traces]),
        sent_s=np.array([trace.sent_s for trace in traces]),
        first_s=np.array([each[0].at_s for each in chunks]),
        end_s=np.array([each[-1].at_s for each in chunks]),
        tokens=np.array([sum(chunk.tokens for chunk in each) for each in chunks]),
        first_chunk_tokens=np.array([each[0].tokens for each in chunks]),
        gaps_s=np.array(gaps),
    )


def sheet(times: TokenColumns, share: float = 0.99) -> Sheet:
    """Tool -> metric under its own name -> value: ms at the percentile `share`, or tokens/s and requests/s.

    A metric that no request has, or that the times do not tell, is left out.
    """
    tokens, count = int(times.tokens.sum()), len(times.tokens)
    last = float(times.end_s.max())
    window = last - float(times.sent_s.min())
    waits, lasted = times.first_s - times.sent_s, times.end_s - times.first_s
    more = times.tokens > 1
    later = lasted[more] / (times.tokens[more] - 1)
    whole = (times.end_s - times.sent_s) / times.tokens
    found: dict[str, dict[str, float | None]] = {
        LOADGEN: {
            "TTFT": by_index(times.first_s - times.scheduled_s, share),
            "TPOT": by_index(later, share),
        },
        VLLM: {
            "TTFT": interpolated(waits, share),
            "TPOT": interpolated(later, share),
            "ITL": None if times.gaps_s is None else interpolated(times.gaps_s, share),
        },
        GUIDELLM: {
            "TTFT": interpolated(waits, share),
            "TPOT": interpolated(whole, share),
            "ITL": interpolated(later, share),
        },
        AIPERF: {"TTFT": interpolated(waits, share), "ITL": interpolated(later, share)},
        ENDPOINTS: {
            "TTFT": interpolated(waits, share),
            "TPOT": interpolated(_after_first_chunk(times, lasted), share),
        },
    }
    rates = {tool: {"tokens/s": tokens / window, "requests/s": count / window} for tool in found}
    rates[LOADGEN] = {"tokens/s": tokens / last, "requests/s": (count - 1) / last}
    return {
        tool: {**{name: 1000 * s for name, s in seconds.items() if s is not None}, **rates[tool]}
        for tool, seconds in found.items()
    }


def _after_first_chunk(times: TokenColumns, lasted: Floats) -> Floats:
    """Time per token after the first chunk; empty where the number of tokens in that chunk is unknown."""
    if times.first_chunk_tokens is None:
        return np.array([])
    later = times.tokens - times.first_chunk_tokens
    return lasted[later > 0] / later[later > 0]


def by_index(values: ArrayLike, share: float) -> float | None:
    """LoadGen's percentile: the sorted value at floor(n x share)."""
    found = np.asarray(values, np.float64)
    if not len(found):
        return None
    place = min(len(found) - 1, math.floor(len(found) * share))
    return float(np.partition(found, place)[place])


def interpolated(values: ArrayLike, share: float) -> float | None:
    """numpy's percentile: between the two neighbours of (n - 1) x share."""
    found = np.asarray(values, np.float64)
    return float(np.percentile(found, 100 * share)) if len(found) else None
