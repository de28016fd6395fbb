"""What Ray costs between LoadGen and the SUT: echo with and without replicas, in turns, 145 int32 tokens an answer.

    python benchmarks/ray_overhead.py [--samples N] [--replicas R] [--qps Q] [--seconds S] [--repeats K]

Prints one JSON object. Aims on an idle machine: Offline >= 30 % of the rate without Ray and >= 50,000 samples/s;
Server at 200 queries/s with at most 5 ms more to the first token at p99.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from assay import suts
from assay.config import Device, Mode, Precision, Scenario
from assay.machine import probe
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run.session import RunSpec, Session
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.workloads.workload import Generation
from loadgen import DATASET, samples

ROUND = "v5.1"


def measure(
    name: str, options: dict[str, str], scenario: Scenario, count: int, qps: float
) -> dict[str, float]:
    """One run of `count` queries; figures as LoadGen logged them."""
    kind, round_ = suts.asked(name, options), rounds.load(ROUND)
    spec = SutSpec(
        name,
        None,
        Device.CPU,
        Precision.FLOAT32,
        None,
        Generation(2, 1024, 2),
        scenario is Scenario.SERVER,
        kind.values(options),
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run = RunSpec(
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
        )
        with Session(
            sut_module=kind.module, spec=spec, samples=samples(), wheel=round_.wheels[0], log_dir=folder
        ) as session:
            record = session.run(run)
    found = {"samples": float(record.samples or 0), "samples_per_s": record.samples_per_s or 0.0}
    for figure in ("latency", "ttft"):
        if (known := record.latencies.get(figure)) is not None:
            found |= {f"{figure}_p{p:g}_ms": known.percentile_ms[p] for p in (50.0, 99.0)}
    return {**found, "load_1min": round(os.getloadavg()[0], 1)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1_000_000, help="Offline samples")
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--qps", type=float, default=200.0, help="Server queries/s")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a Server run")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    ways = {"alone": ("echo", {}), "ray": ("ray", {"of": "echo", "replicas": str(asked.replicas)})}
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(asked.repeats):
        for way, (name, options) in ways.items():
            if asked.samples:
                made = measure(name, options, Scenario.OFFLINE, asked.samples, 1e6)
                runs.setdefault(f"offline_{way}", []).append(made)
            if asked.qps:
                count = int(asked.qps * asked.seconds)
                made = measure(name, options, Scenario.SERVER, count, asked.qps)
                runs.setdefault(f"server_{way}", []).append(made)

    def median(run: str, figure: str) -> float | None:
        found = [made[figure] for made in runs.get(run, []) if figure in made]
        return statistics.median(found) if found else None

    report = {
        "benchmark": "ray_overhead",
        "processor": probe.fields()["host_processor_model_name"].value,
        "cores": os.cpu_count(),
        "replicas": asked.replicas,
        "offline_samples_per_s": {way: median(f"offline_{way}", "samples_per_s") for way in ways},
        "server_ttft_p99_ms": {way: median(f"server_{way}", "ttft_p99_ms") for way in ways},
        "runs": runs,
    }
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
