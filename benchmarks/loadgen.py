"""How much LoadGen's own path costs: the echo SUT through the real process boundary, 145 int32 tokens an answer.

    python benchmarks/loadgen.py [--samples N] [--qps Q] [--seconds S] [--repeats R]

Prints one JSON object. Aims on an idle machine: Offline >= 100,000 samples/s over 1 million samples; Server at 2,000
queries/s with LoadGen's own p99 latency below 5 ms (both medians of 5).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.config import Device, Mode, Precision, Scenario
from assay.mlperf.data.sample import Sample
from assay.mlperf.logs import RunRecord
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run import request_times, requests
from assay.mlperf.run.session import RunSpec, Session
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.suts import echo

TOKENS = 145
"""Mean answer of the reference model. Source: 144.84 tokens a sample, gate of round v5.0."""
DATASET = 15_000


def samples() -> list[Sample]:
    answer = tuple(range(100, 100 + TOKENS))
    return [Sample(i, f"train.{i}", "GSM8K", "", (1, i), "0", answer, (2,)) for i in range(DATASET)]


def children_cpu_s() -> float:
    """Processor time of all ended children, their start included: holds on a busy machine too."""
    times = os.times()
    return times.children_user + times.children_system


def write_requests(
    spec: RunSpec, record: RunRecord, asked: Sequence[Sample], folder: Path
) -> dict[str, float]:
    """Processor seconds for requests.parquet, which hold on a busy machine too: of the LoadGen child, whose calls are
    stamped and saved once more here in frames of the echo SUT, and of the parent after the run."""
    assert spec.times is not None
    times = request_times.load(spec.times)
    ids = np.arange(len(times.end_ns), dtype=np.uint64)
    stamps = request_times.Recorder()
    begin = time.process_time()
    stamps.issued.add(ids, times.sample_index)
    for start in range(0, len(ids), echo.BATCH):
        frame = slice(start, start + echo.BATCH)
        stamps.done.add(ids[frame], times.tokens[frame])
    stamps.save(folder / "again.npy")
    child_end = time.process_time()
    rows = requests.table(spec, request_times.load(spec.times), record, asked)
    requests.write(folder / "requests.parquet", [rows])
    return {
        "requests_child_cpu_s": round(child_end - begin, 3),
        "requests_parent_cpu_s": round(time.process_time() - child_end, 3),
    }


def measure(scenario: Scenario, count: int, qps: float, round_name: str) -> dict[str, float]:
    """One run of `count` queries; figures as LoadGen logged them."""
    before_s, own_s = children_cpu_s(), time.process_time()
    asked = samples()
    round_ = rounds.load(round_name)
    generation = Generation(2, 1024, 2)
    sut = SutSpec("echo", None, Device.CPU, Precision.FLOAT32, None, generation, scenario is Scenario.SERVER)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = RunSpec(
            scenario=scenario,
            mode=Mode.PERFORMANCE,
            loadgen_key="mixtral-8x7b",
            has_loadgen_settings=True,
            samples=DATASET,
            target_qps=qps,
            seeds=round_.seeds,
            out=folder / "run_1",
            user_conf=folder / "user.conf",
            min_query_count=count,
            max_query_count=count,
            latency=Latency(2000.0, 200.0),
            times=folder / "times.npy",
        )
        with Session(
            sut_module="assay.suts.echo", spec=sut, samples=asked, wheel=round_.wheels[0], log_dir=folder
        ) as session:
            record = session.run(spec)
        own_s = time.process_time() - own_s
        of_requests = write_requests(spec, record, asked, folder)
    latency = record.latencies["latency"]
    spent_s = children_cpu_s() - before_s
    of_parent_s = of_requests["requests_parent_cpu_s"]
    share = sum(of_requests.values()) / (spent_s + own_s + of_parent_s)
    return {
        "samples": float(record.samples or 0),
        "samples_per_s": record.samples_per_s or 0.0,
        "latency_p50_ms": latency.percentile_ms[50.0],
        "latency_p99_ms": latency.percentile_ms[99.0],
        "errors": float(len(record.errors)),
        **of_requests,
        "requests_cpu_percent": round(100 * share, 2),
        "cpu_us_per_sample": round(1e6 * spent_s / max(record.samples or 0, 1), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1_000_000, help="Offline samples")
    parser.add_argument("--qps", type=float, default=2000.0, help="Server queries/s")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a Server run")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--round", default="v5.1")
    asked = parser.parse_args()
    offline = [measure(Scenario.OFFLINE, asked.samples, 1e6, asked.round) for _ in range(asked.repeats)]
    queries = int(asked.qps * asked.seconds)
    server = [measure(Scenario.SERVER, queries, asked.qps, asked.round) for _ in range(asked.repeats)]
    report = {
        "benchmark": "loadgen",
        "tokens_per_answer": TOKENS,
        "machine": {
            "cpu": platform.machine(),
            "cores": os.cpu_count(),
            "load_1min": round(os.getloadavg()[0], 1),
        },
        "python": platform.python_version(),
        "round": asked.round,
        "offline_samples_per_s": statistics.median(run["samples_per_s"] for run in offline),
        "server_latency_p99_ms": statistics.median(run["latency_p99_ms"] for run in server),
        "offline": offline,
        "server": server,
    }
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
