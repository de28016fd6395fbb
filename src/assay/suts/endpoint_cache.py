"""The prefix cache of a server: whether it is on, and whether answers of a run came from it.

A prompt that was computed before is answered sooner: a figure with a warm cache is not the model's.
Source: inference_rules, no caching of queries and results; counters of tokens: vLLM docs/usage/metrics.md; SGLang
docs, production metrics (with --enable-metrics); TensorRT-LLM tensorrt_llm/metrics (with return_perf_metrics).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

HITS = ("vllm:prefix_cache_hits_total", "sglang:cached_tokens_total", "trtllm_prompt_cached_tokens_total")
QUERIES = ("vllm:prefix_cache_queries_total", "sglang:prompt_tokens_total", "trtllm_prompt_tokens_total")
PAGES = ("/metrics", "/prometheus/metrics")
"""Where servers count; the second is TensorRT-LLM's, whose /metrics is a JSON list of iterations."""
MOST_COUNTED = 2.0**53
"""A counter is below it: from there on not each whole number is a float. NaN and less than 0 are no counts."""


@dataclass(frozen=True)
class CacheCounters:
    """Tokens counted since the server started; None = it does not say."""

    hits: float | None = None
    queries: float | None = None


def counters(pages: Sequence[str]) -> CacheCounters:
    """Sums the counters of all servers. `pages`: their metrics in Prometheus form."""
    return CacheCounters(_sum(pages, HITS), _sum(pages, QUERIES))


def _sum(pages: Sequence[str], names: Sequence[str]) -> float | None:
    found: list[float] = []
    for line in (line for page in pages for line in page.splitlines()):
        key, _, value = line.rpartition(" ")
        if key.partition("{")[0] in names:
            with suppress(ValueError):
                if 0 <= (count := float(value)) < MOST_COUNTED:
                    found.append(count)
    return sum(found) if found else None


@dataclass(frozen=True)
class CacheFindings:
    """What is known of the cache since the SUT was built."""

    is_on: bool | None = None
    """Whether the cache is on. A new prompt is sent twice to find out; None = the server does not say."""
    run_tokens: int = 0
    """Prompt tokens of the runs that came from the cache, by the answers or by the server's counters."""
    is_salted: bool = False
    """Whether every query has its own salt, so that none reuses what another one left."""

    def probed(self, cached: int | None, before: CacheCounters, after: CacheCounters) -> CacheFindings:
        """Adds the result of a probe. `cached`: cached tokens of the answer to a prompt that was sent once before;
        `before`, `after`: the counters around both."""
        if before.hits is not None and after.hits is not None:
            # A server without a cache counts no query of it.
            cached = max(cached or 0, int(after.hits - before.hits))
        return replace(self, is_on=self.is_on or (None if cached is None else cached > 0))

    def ran(self, answers_tokens: int, before: CacheCounters, after: CacheCounters) -> CacheFindings:
        """Adds the result of a run. `answers_tokens`: cached tokens by the run's answers; the other two are the
        counters around the run."""
        counted = int((after.hits or 0) - (before.hits or 0)) if before.hits is not None else 0
        return replace(self, run_tokens=self.run_tokens + max(answers_tokens, counted, 0))

    def breach(self) -> str:
        """Why a run in the closed division is INVALID; empty when nothing is known against it."""
        if self.run_tokens:
            return f"{self.run_tokens:,} prompt tokens came from the server's prefix cache"
        if self.is_on and not self.is_salted:
            return "the server's prefix cache is on, and queries are not kept out of it"
        return ""

    def words(self) -> str:
        """One line for a reader."""
        if self.run_tokens:
            return f"prefix cache: WARM, {self.breach()}"
        if self.is_on:
            kept = "no query of a run came from it" if self.is_salted else "whether it was used is not known"
            return f"prefix cache: on; {kept}"
        return (
            "prefix cache: not known"
            if self.is_on is None
            else "prefix cache: off, by the same prompt asked twice"
        )
