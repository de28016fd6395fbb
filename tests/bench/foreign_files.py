"""Files as the tools write them, cut short: three requests each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mlperf.run_folder import detail_log

VLLM: dict[str, Any] = {
    "date": "20261129-030327",
    "backend": "vllm",
    "model_id": "org/model",
    "num_prompts": 4,
    "request_rate": 20.0,
    "burstiness": 1.0,
    "max_concurrency": None,
    "duration": 0.5,
    "completed": 3,
    "failed": 1,
    "request_throughput": 6.0,
    "output_throughput": 60.0,
    "input_lens": [7, 13, 17, 5],
    "output_lens": [10, 10, 10, 0],
    "ttfts": [0.03, 0.02, 0.04, 0.0],
    "latencies": [0.12, 0.11, 0.13, 0.0],
    "start_times": [100.2, 100.1, 100.3, 100.4],
    "mean_ttft_ms": 30.0,
    "median_ttft_ms": 30.0,
    "std_ttft_ms": 8.2,
    "p50_ttft_ms": 30.0,
    "p99.9_ttft_ms": 39.98,
    "mean_tpot_ms": 10.0,
    "p99_tpot_ms": 10.1,
    "p99_itl_ms": 15.8,
    "p99_e2el_ms": 129.8,
}


def summary(mean: float, p99: float) -> dict[str, Any]:
    told = {
        "mean": mean,
        "median": mean,
        "percentiles": {"p05": 1.0, "p50": mean, "p99": p99, "p999": p99 + 1, "p²": 0.0},
    }
    return {"successful": told, "errored": {}}


GUIDELLM: dict[str, Any] = {
    "metadata": {"version": 2, "guidellm_version": "0.8.1"},
    "benchmarks": [
        {
            "config": {"strategy": {"type_": kind, "streams": 2}, "backend": {"model": "/models/m"}},
            "metrics": {
                "request_totals": {"successful": 2, "errored": 1, "incomplete": 0, "total": 3},
                "requests_per_second": summary(14.8, 20.0),
                "output_tokens_per_second": summary(355.8, 400.0),
                "time_to_first_token_ms": summary(32.2, 49.9),
                "time_per_output_token_ms": summary(4.9, 5.27),
                "inter_token_latency_ms": summary(3.8, 4.4),
                "request_latency": summary(0.126, 0.131),
            },
            "requests": {
                "successful": [
                    {
                        "request_start_time": 1000.0 + i,
                        "request_end_time": 1000.5 + i,
                        "time_to_first_token_ms": 26.0,
                        "prompt_tokens": 11,
                        "output_tokens": 24,
                    }
                    for i in range(2)
                ]
            },
            "start_time": 1795922903.8,
            "duration": 1.35,
        }
        for kind in ("concurrent", "constant")
    ],
}

AIPERF: dict[str, Any] = {
    "aiperf_version": "0.3.0",
    "request_throughput": {"unit": "requests/sec", "avg": 12.5},
    "output_token_throughput": {"unit": "tokens/sec", "avg": 250.0},
    "request_count": {"unit": "requests", "avg": 40.0},
    "benchmark_duration": {"unit": "sec", "avg": 3.2},
    "time_to_first_token": {
        "unit": "ms",
        "avg": 18.0,
        "min": 10.0,
        "max": 40.0,
        "p50": 17.0,
        "p99": 39.0,
        "std": 3.0,
    },
    "inter_token_latency": {"unit": "ms", "avg": 4.0, "p99": 6.0},
    "request_latency": {"unit": "sec", "avg": 0.1, "p99": 0.2},
    "input_config": {"endpoint": {"model_names": ["m"]}, "loadgen": {"concurrency": 4}},
}


def logs(folder: Path, scenario: str = "Server", mode: str = "PerformanceOnly", **changes: Any) -> Path:
    """A folder with a whole detail log of LoadGen, with the seeds of round v4.1."""
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {
        "loadgen_version": "4.1 @ abc",
        "effective_scenario": scenario,
        "effective_test_mode": mode,
        "effective_qsl_rng_seed": 3066443479025735752,
        "effective_sample_index_rng_seed": 10688027786191513374,
        "effective_schedule_rng_seed": 14962580496156340209,
        "power_begin": "11-23-2026 20:44:04.414",
        "power_end": "11-23-2026 20:44:06.914",
        "result_validity": "VALID" if mode == "PerformanceOnly" else None,
        "result_query_count": 30,
        "result_completed_samples_per_sec": 12.0,
        "result_completed_tokens_per_second": 1740.0,
        "result_first_token_99.00_percentile_latency_ns": 700_000_000,
        "result_first_token_min_latency_ns": 500_000,
        "result_first_token_mean_latency_ns": 600_000,
        "result_first_token_max_latency_ns": 900_000_000,
    }
    values = {key: value for key, value in (values | changes).items() if value is not None}
    (folder / "mlperf_log_detail.txt").write_text(detail_log(values))
    return folder
