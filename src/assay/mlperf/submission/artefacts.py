"""The artefacts of MLPerf Endpoints made of a run with LoadGen, in the places where the checker of v6.1 looks.

The four kinds of file and their keys are those of MLPerf Endpoints; its own publishing script puts two of them where no
checker looks. Figures come from the run's record and its requests.parquet; what the run did not measure is null.
Source: mlcommons/endpoints (ea332753), docs/metrics/report_design.md; EndpointsParser of the modular checker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assay.config import Mode, Scenario
from assay.mlperf.record.result import ModeResult
from assay.mlperf.rounds import early_stopping
from assay.mlperf.submission.source import FinishedRun, TreeEntry
from assay.mlperf.submission.tree import AUDITS, ENDPOINTS_CONFIG, ENDPOINTS_RESULTS, ENDPOINTS_SUMMARY

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

PERCENTILES = (50.0, 75.0, 80.0, 90.0, 95.0, 97.0, 99.0, 99.9)
ESTIMATED = (90.0, 95.0, 99.0, 99.9)
"""Percentiles with an estimate by early stopping."""
PASSED = ("TEST06 verification complete", "TEST PASS")
"""Last lines of a verdict that passed."""
SHARES = ("rouge", "exact_match")
"""Metrics, by their beginning, that are written as shares of 1: a reader cannot take 0.5 % for 50 % then."""


def files(entry: TreeEntry) -> dict[str, str]:
    """Path below the scenario folder -> content. Raises: ArtifactError for a requests.parquet that cannot be read."""
    import yaml

    found: dict[str, str] = {}
    if Mode.PERFORMANCE in entry.modes:
        run, record = entry.modes[Mode.PERFORMANCE]
        found[ENDPOINTS_SUMMARY] = _json(summary(run, record))
        found[ENDPOINTS_CONFIG] = yaml.safe_dump(config(run, record), sort_keys=False)
    if Mode.ACCURACY in entry.modes:
        run, record = entry.modes[Mode.ACCURACY]
        found[ENDPOINTS_RESULTS] = _json(results(run, record))
    return found | {f"audit/audit_{name}.json": _json(each) for name, each in audits(entry).items()}


def summary(run: FinishedRun, record: ModeResult) -> dict[str, Any]:
    """result_summary.json. Times in ns."""
    rows = _rows(run, record)
    rates = {name: record.figure(name) for name in ("samples_per_s", "tokens_per_s")}
    count = len(rows["end"]) if rows else record.samples
    return {
        "version": f"Assay {run.result.assay}, measured with LoadGen {run.result.loadgen.version}",
        "n_samples_issued": count,
        "n_samples_completed": count,
        "n_samples_failed": 0,
        "duration_ns": int(rows["end"].max()) if rows else round(record.seconds * 1e9),
        "state": "complete",
        "complete": True,
        "qps": rates["samples_per_s"].value if rates["samples_per_s"] else None,
        "tps": rates["tokens_per_s"].value if rates["tokens_per_s"] else None,
        **{name: _series(rows.get(name)) for name in ("latency", "ttft", "tpot")},
        "output_sequence_lengths": _series(rows.get("answer_tokens")),
        "input_sequence_lengths": _series(rows.get("prompt_tokens")),
    }


def results(run: FinishedRun, record: ModeResult) -> dict[str, Any]:
    """accuracy_results.json: one entry with a score for each metric."""
    rows = _rows(run, record)
    scores = {
        each.metric: each.value / 100 if each.metric.startswith(SHARES) else each.value
        for each in record.scores
        if each.value is not None
    }
    told = {
        "dataset_name": run.result.workload,
        "dataset_type": "accuracy",
        "score": scores or None,
        "num_repeats": 1,
        "total_samples": record.samples,
        "complete": True,
        "response_counts": {"issued": record.samples, "failed": 0},
        "output_sequence_lengths": _series(rows.get("answer_tokens")),
    }
    return {"accuracy_scores": [told]}


def config(run: FinishedRun, record: ModeResult) -> dict[str, Any]:
    """config.yaml: what LoadGen ran with, under the names of MLPerf Endpoints."""
    effective = record.effective
    return {
        "name": f"{run.result.workload} {record.scenario}",
        "type": "offline" if record.scenario is Scenario.OFFLINE else "online",
        "model_params": {
            "name": run.checkpoint,
            "streaming": "on" if record.scenario.reports_first_tokens else "off",
        },
        "settings": {
            "runtime": {
                "min_duration_ms": effective.get("min_duration_ms"),
                "dataloader_random_seed": effective.get("sample_index_rng_seed"),
                "scheduler_random_seed": effective.get("schedule_rng_seed"),
                "n_samples_to_issue": effective.get("min_query_count"),
            },
            "load_pattern": {
                "type": "poisson" if record.scenario.is_paced else "max_throughput",
                "target_qps": effective.get("target_qps"),
            },
        },
    }


def audits(entry: TreeEntry) -> dict[str, dict[str, Any]]:
    """Name of an audit -> its JSON, for each filed compliance test that has one; TEST09 is judged by the summary."""
    found = {}
    for place, path in entry.compliance().items():
        test, _, file = place.partition("/")
        if test in AUDITS and file.startswith("verify_"):
            text = path.read_text(encoding="utf-8", errors="replace")
            name = AUDITS[test]
            found[name] = {
                "test": name,
                "passed": text.strip().endswith(PASSED),
                "details": text.splitlines(),
            }
    return found


def estimate(values: NDArray[np.int64], percentile: float) -> int | None:
    """LoadGen's early-stopping estimate: the t-th highest, where a run of this length may have t over its limit; None
    for a run that may have none. Source: LoadGen, results.cc."""
    over = early_stopping.allowed_over(len(values), percentile / 100)
    return int(values[len(values) - over]) if over else None


def _series(values: NDArray[np.int64] | None) -> dict[str, Any] | None:
    """What MLPerf Endpoints tells of a measured quantity; None for one that the run lacks."""
    if values is None or not len(values):
        return None
    ordered = values.copy()
    ordered.sort()
    last = len(ordered) - 1
    at = {f"{p}": int(ordered[min(last, int(len(ordered) * p / 100))]) for p in PERCENTILES}
    return {
        "total": int(ordered.sum()),
        "min": int(ordered[0]),
        "max": int(ordered[last]),
        "median": at["50.0"],
        "avg": float(ordered.mean()),
        "std_dev": float(ordered.std()),
        "percentiles": at,
        "early_stopping_percentiles": {f"{p}": estimate(ordered, p) for p in ESTIMATED},
    }


def _rows(run: FinishedRun, record: ModeResult) -> Mapping[str, NDArray[np.int64]]:
    """Columns of one LoadGen run, and latency, TTFT and TPOT of them as docs/requests.md defines these; empty for a run
    without requests.parquet."""
    if not run.folder.requests.is_file():
        return {}
    from assay.mlperf.run import requests

    rows = requests.of_run(requests.read(run.folder.requests), record.scenario, record.mode)
    tokens, end = _column(rows, "answer_tokens"), _column(rows, "end_ns")
    found = {"end": end, "answer_tokens": tokens, "prompt_tokens": _column(rows, "prompt_tokens")}
    one_by_one = record.scenario.is_one_by_one
    planned = rows["issued_ns" if one_by_one else "scheduled_ns"]
    if planned.null_count:
        return found
    start = planned.to_numpy()
    found["latency"] = end - start
    if not rows["first_token_ns"].null_count:
        first = _column(rows, "first_token_ns")
        several = tokens > 1
        found["ttft"] = first - start
        found["tpot"] = (end - first)[several] // (tokens[several] - 1)
    return found


def _column(rows: pa.Table, name: str) -> NDArray[np.int64]:
    import numpy as np

    column: NDArray[np.int64] = rows[name].to_numpy().astype(np.int64)
    return column


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
