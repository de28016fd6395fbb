"""What a run's record says of its files: the figures of a log, and the SHA-256 of every file of the run folder."""

from __future__ import annotations

from pathlib import Path

from assay.ground import files
from assay.mlperf.logs import RunRecord
from assay.mlperf.result import Figure


def figures(record: RunRecord, samples: int, file: str) -> list[Figure]:
    """The numbers of a log, each with metric (`ttft_p99.9`), unit, n and file; none for what the log lacks."""
    found = [("samples_per_s", record.samples_per_s, "samples/s")]
    found += [("tokens_per_s", record.tokens_per_s, "tokens/s")]
    for kind, times in record.latencies.items():
        named = {"min": times.min_ms, "mean": times.mean_ms, "max": times.max_ms}
        named |= {f"p{percentile:g}": ms for percentile, ms in times.percentile_ms.items()}
        found += [(f"{kind}_{name}", ms, "ms") for name, ms in named.items()]
    return [Figure(metric, value, unit, samples, file) for metric, value, unit in found if value is not None]


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of the run folder, by its path in it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): files.sha256(path) for path in found}
