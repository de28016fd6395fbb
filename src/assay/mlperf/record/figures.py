"""The figures of a LoadGen log: each with metric, unit, n and file."""

from __future__ import annotations

from assay.mlperf.logs import RunRecord
from assay.mlperf.record.result import Figure


def figures(record: RunRecord, samples: int, file: str) -> list[Figure]:
    """The numbers of a log, each with metric (`ttft_p99.9`), unit, n and file; none for what the log lacks."""
    found = [("samples_per_s", record.samples_per_s, "samples/s")]
    found += [("tokens_per_s", record.tokens_per_s, "tokens/s")]
    for kind, times in record.latencies.items():
        named = {"min": times.min_ms, "mean": times.mean_ms, "max": times.max_ms}
        named |= {f"p{percentile:g}": ms for percentile, ms in times.percentile_ms.items()}
        found += [(f"{kind}_{name}", ms, "ms") for name, ms in named.items()]
    return [Figure(metric, value, unit, samples, file) for metric, value, unit in found if value is not None]
