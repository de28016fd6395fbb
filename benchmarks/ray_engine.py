"""Replicas against threads: the engine as 1 replica with all cores and as one replica for each core, in turns.

    python benchmarks/ray_engine.py [--samples N] [--repeats K]

Prints one JSON object with tokens/s, and with tokens per processor second of the replicas, which other work on the
machine disturbs least. Aim on an idle machine of 2 cores: 2 x 1 at 0.9 of 1 x 2 or more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time

import psutil

from assay import suts
from assay.config import Device, Precision, Style
from assay.ground import cores
from assay.machine import probe
from assay.mlperf import workloads
from assay.mlperf.sut.interface import Query, SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.nano import shipped
from assay.suts import ray_auto, ray_sut


class Silent:
    def __getattr__(self, name: str) -> object:
        return lambda *arguments: None


def measure(replicas: int, count: int) -> dict[str, float]:
    """One loaded layout; the first batch is not counted."""
    counting = ray_auto.CountingSink(Silent())  # type: ignore[arg-type]
    own = workloads.get("mixtral-nano").own_dataset
    assert own is not None
    samples = own(Style.FAST).samples
    options = suts.asked("ray", {}).values({"replicas": str(replicas)})
    folder = shipped.checkpoint_dir()
    rules = Generation(1, 1024, 2)
    spec = SutSpec("ray", folder, Device.CPU, Precision.BFLOAT16, 64, rules, False, options)
    sut = ray_sut.build(spec, samples, counting)
    processes = [
        each
        for each in psutil.Process().children(recursive=True)
        if "assay.mlperf.sut.process" in each.cmdline()
    ]

    def ask(begin: int, end: int) -> tuple[int, float, float]:
        tokens, began, spent = counting.tokens, time.perf_counter(), cpu_s(processes)
        sut.issue([Query(n, n % len(samples)) for n in range(begin, end)])
        sut.flush()
        return counting.tokens - tokens, time.perf_counter() - began, cpu_s(processes) - spent

    ask(0, 64)
    tokens, wall, spent = ask(64, 64 + count)
    sut.close()
    return {
        "tokens_per_s": round(tokens / wall, 1),
        "tokens_per_cpu_s": round(tokens / spent, 1),
        "load_1min": round(os.getloadavg()[0], 1),
    }


def cpu_s(processes: list[psutil.Process]) -> float:
    times = [each.cpu_times() for each in processes]
    return sum(each.user + each.system for each in times)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    layouts = {f"1 x {cores.usable()}": 1, f"{cores.usable()} x 1": cores.usable()}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in layouts}
    for _ in range(asked.repeats):
        for name, replicas in layouts.items():
            runs[name].append(measure(replicas, asked.samples))
    one, many = runs.values()

    def ratio(figure: str) -> float:
        medians = [statistics.median(run[figure] for run in made) for made in (many, one)]
        return round(medians[0] / medians[1], 3)

    report = {
        "benchmark": "ray_engine",
        "processor": probe.fields()["host_processor_model_name"].value,
        "ratio_tokens_per_s": ratio("tokens_per_s"),
        "ratio_tokens_per_cpu_s": ratio("tokens_per_cpu_s"),
        "runs": runs,
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
