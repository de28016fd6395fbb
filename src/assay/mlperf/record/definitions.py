"""One run in the definitions of five tools: metrics of one name are not one metric. Pure; docs/definitions.md.

Source of each: the tool's own code, as docs/definitions.md tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

    @property
    def tokens(self) -> int:
        return sum(chunk.tokens for chunk in self.chunks)

    @property
    def first_s(self) -> float:
        return self.chunks[0].at_s

    @property
    def end_s(self) -> float:
        return self.chunks[-1].at_s

    @property
    def per_later_token_s(self) -> float | None:
        """None for an answer of one token."""
        return (self.end_s - self.first_s) / (self.tokens - 1) if self.tokens > 1 else None

    @property
    def per_token_after_first_chunk_s(self) -> float | None:
        later = self.tokens - self.chunks[0].tokens
        return (self.end_s - self.first_s) / later if later else None

    @property
    def gaps_s(self) -> list[float]:
        return [after.at_s - before.at_s for before, after in zip(self.chunks, self.chunks[1:])]


def sheet(traces: Sequence[TokenTimes], share: float = 0.99) -> Mapping[str, Mapping[str, float]]:
    """Tool -> metric under its own name -> value: ms at the percentile `share`, or tokens/s and requests/s.

    A metric that no request has is left out. Raises: ValueError without a request.
    """
    if not traces:
        raise ValueError("no request was answered")
    tokens, count = sum(trace.tokens for trace in traces), len(traces)
    last = max(trace.end_s for trace in traces)
    window = last - min(trace.sent_s for trace in traces)
    waits = [trace.first_s - trace.sent_s for trace in traces]
    later = [value for trace in traces if (value := trace.per_later_token_s) is not None]
    chunked = [value for trace in traces if (value := trace.per_token_after_first_chunk_s) is not None]
    whole = [(trace.end_s - trace.sent_s) / trace.tokens for trace in traces]
    gaps = [gap for trace in traces for gap in trace.gaps_s]
    found = {
        LOADGEN: {
            "TTFT": by_index([trace.first_s - trace.scheduled_s for trace in traces], share),
            "TPOT": by_index(later, share),
        },
        VLLM: {
            "TTFT": interpolated(waits, share),
            "TPOT": interpolated(later, share),
            "ITL": interpolated(gaps, share),
        },
        GUIDELLM: {
            "TTFT": interpolated(waits, share),
            "TPOT": interpolated(whole, share),
            "ITL": interpolated(later, share),
        },
        AIPERF: {"TTFT": interpolated(waits, share), "ITL": interpolated(later, share)},
        ENDPOINTS: {"TTFT": interpolated(waits, share), "TPOT": interpolated(chunked, share)},
    }
    rates = {tool: {"tokens/s": tokens / window, "requests/s": count / window} for tool in found}
    rates[LOADGEN] = {"tokens/s": tokens / last, "requests/s": (count - 1) / last}
    return {
        tool: {**{name: 1000 * s for name, s in times.items() if s is not None}, **rates[tool]}
        for tool, times in found.items()
    }


def by_index(values: Sequence[float], share: float) -> float | None:
    """LoadGen's percentile: the sorted value at floor(n x share)."""
    return sorted(values)[min(len(values) - 1, math.floor(len(values) * share))] if values else None


def interpolated(values: Sequence[float], share: float) -> float | None:
    """numpy's percentile: between the two neighbours of (n - 1) x share."""
    if not values:
        return None
    ordered, place = sorted(values), (len(values) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
