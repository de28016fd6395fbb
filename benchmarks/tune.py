"""What `assay tune` finds of servers whose best VALID rate is known, and what it pays, beside LoadGen's own search.

    python benchmarks/tune.py [--seeds 10] [--duration 60]      # simulated: k slots, each busy for a fixed time
    python benchmarks/tune.py --real [--duration 10]            # both searches for real, on a queue of 100 queries/s

Prints a table and one JSON object as the last line. "cost" is the time of all probes in official runs. LoadGen's
FindPeakPerformance is simulated as its loadgen.cc has it: the first rate must pass, else it ends with an error; the
rate is doubled until one fails; then the bracket is halved down to one decimal. Each step is a whole run, judged by the
99th percentile alone; whether an official run at its result would be VALID is judged by early stopping, as ever. It
begins at half of the rate at full load, as it knows no better.
"""

from __future__ import annotations

import argparse
import functools
import heapq
import itertools
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from assay.bench.tune_search import ABOVE, OFFICIAL_SHARE, Done
from assay.mlperf.record.definitions import by_index
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.run import wheels
from tests.bench.simulated_server import Paced, Simulated

RATE, TTFT_S = 20.0, 2.0
PACED_OFFS = (0.25, 0.5, 0.9, 1.1, 2.0)
SLOTS, OFFS, JITTERS = (1, 8, 64), (0.9, 1.0, 1.1), (0.0, 0.01)
REAL_RATE, REAL_LIMIT_S = 100.0, 2.0


@dataclass(frozen=True)
class Found:
    """One search. `rate` None = it ended without one."""

    rate: float | None
    best: float
    is_valid: bool
    cost: float


def by_tune(server: Simulated, off: float) -> Found:
    return _found(server, server.search(ABOVE * off * server.first_guess())[0])


def by_pace(server: Paced, off: float) -> Found:
    """`off`: the guess as a multiple of the best rate."""
    return _found(server, server.search(off * server.best())[0])


def _found(server: Simulated | Paced, done: Done) -> Found:
    official = None if done.low is None else OFFICIAL_SHARE * done.low
    return Found(
        official,
        server.best(),
        official is not None and server.is_valid(official),
        server.probed_s / server.duration_s,
    )


def by_loadgen(server: Simulated) -> Found:
    spent = 0.0

    def passes(rate: float) -> bool:
        nonlocal spent
        schedule, waits = server.run(rate)
        spent += float((schedule + waits).max()) + server.service_s
        found = by_index(waits, 0.99)
        return found is not None and found <= server.ttft_s

    best = server.best()
    low = round(0.5 * server.full_rate, 1)
    if not passes(low):
        return Found(None, best, False, spent / server.duration_s)
    high = 2 * low
    while passes(high):
        low, high = high, 2 * high
    while (middle := round((low + high) / 2, 1)) not in (low, high):
        low, high = (middle, high) if passes(middle) else (low, middle)
    return Found(low, best, server.is_valid(low), spent / server.duration_s)


def row(name: str, found: Sequence[Found]) -> dict[str, object]:
    shares = [each.rate / each.best for each in found if each.rate is not None]
    costs = [each.cost for each in found]
    return {
        "search": name,
        "share of the best": [round(min(shares), 3), round(max(shares), 3)] if shares else None,
        "VALID at first try": f"{sum(each.is_valid for each in found)} of {len(found)}",
        "cost, mean": round(statistics.mean(costs), 2),
        "cost, most": round(max(costs), 2),
    }


def simulated(seeds: int, duration_s: float) -> list[dict[str, object]]:
    rows = []
    for jitter, slots in itertools.product(JITTERS, SLOTS):
        system = f"{slots} slots" + (f", each run up to {100 * jitter:g} % off" if jitter else "")

        def server(seed: int, slots: int = slots, jitter: float = jitter) -> Simulated:
            return Simulated(slots, slots / RATE, TTFT_S, duration_s, Seeds(1, 2, 1000 + seed), jitter=jitter)

        searches: dict[str, Callable[[Simulated], Found]] = {"FindPeakPerformance": by_loadgen}
        searches |= {f"assay tune, guess x {off:g}": functools.partial(by_tune, off=off) for off in OFFS}
        for name, search in searches.items():
            rows.append({"system": system, **row(name, [search(server(seed)) for seed in range(seeds)])})
            show(rows[-1])
    for off in PACED_OFFS:
        found = [
            by_pace(Paced(duration_s=duration_s, seeds=Seeds(1, 2, 1000 + n)), off) for n in range(seeds)
        ]
        name = f"assay tune, guess x {off:g}"
        rows.append({"system": "the time per token decides", **row(name, found)})
        show(rows[-1])
    return rows


def show(cells: dict[str, object]) -> None:
    print("\t".join(str(cell) for cell in cells.values()), flush=True)


class Queue:
    """Answers queries one after another, each for 1 / REAL_RATE seconds; for LoadGen's binding."""

    def __init__(self, loadgen: object) -> None:
        self._loadgen = loadgen
        self._free = 0.0
        self._due: list[tuple[float, int]] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._work, daemon=True).start()

    def issue(self, samples: Sequence[object]) -> None:
        with self._changed:
            for sample in samples:
                self._free = max(self._free, time.monotonic()) + 1 / REAL_RATE
                heapq.heappush(self._due, (self._free, sample.id))  # type: ignore[attr-defined]
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._due))
                due, id_ = heapq.heappop(self._due)
            time.sleep(max(0.0, due - time.monotonic()))
            self._loadgen.QuerySamplesComplete([self._loadgen.QuerySampleResponse(id_, 0, 0)])  # type: ignore[attr-defined]


def real_loadgen(folder: Path, duration_s: float) -> None:
    """In a process of its own: LoadGen's FindPeakPerformance on the queue, from half its rate."""
    round_ = rounds.load("v5.1")
    wheel = next(each for each in round_.wheels if wheels.file_for(each) is not None)
    sys.path.insert(0, str(wheels.obtain(wheel)))
    import mlperf_loadgen as loadgen

    settings = loadgen.TestSettings()
    settings.scenario, settings.mode = loadgen.TestScenario.Server, loadgen.TestMode.FindPeakPerformance
    settings.server_target_qps = REAL_RATE / 2
    settings.server_target_latency_ns = int(REAL_LIMIT_S * 1e9)
    settings.server_target_latency_percentile = 0.99
    settings.min_duration_ms = int(1000 * duration_s)
    settings.schedule_rng_seed = round_.seeds.schedule
    queue = Queue(loadgen)
    sut = loadgen.ConstructSUT(queue.issue, lambda: None)
    qsl = loadgen.ConstructQSL(300, 300, lambda _: None, lambda _: None)
    logs = loadgen.LogSettings()
    logs.enable_trace, logs.log_output.outdir = False, str(folder)
    loadgen.StartTestWithLogSettings(sut, qsl, settings, logs, "")


def real(duration_s: float) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        asked = [sys.executable, __file__, "--find-peak", str(folder), "--duration", str(duration_s)]
        ended = subprocess.run(asked, capture_output=True, text=True, check=False)
        spent = time.monotonic() - began
        summary = (
            (folder / "mlperf_log_summary.txt").read_text() if not ended.returncode else ended.stderr[-500:]
        )
        steps = (folder / "mlperf_log_detail.txt").read_text().count("Testing the mid value")
        rows.append(
            {"search": "FindPeakPerformance", "cost": round(spent / duration_s, 2), "halvings": steps}
        )
        rows[-1]["target_qps"] = next(
            (ln.split(":")[1].strip() for ln in summary.splitlines() if "target_qps" in ln), ""
        )
        show(rows[-1])
        command = [
            "assay",
            "tune",
            "mixtral-nano",
            "--sut",
            "echo",
            "--pace",
            f"{REAL_RATE:g}",
            "--official",
            "--mode",
        ]
        command += [
            "performance",
            "--min-duration",
            f"{duration_s:g}s",
            "--json",
            "--out",
            str(folder / "tune"),
        ]
        tuned = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
        made = json.loads(tuned.stdout.splitlines()[-1])
        rows.append(
            {
                "search": "assay tune",
                "cost": round(sum(each["seconds"] for each in made["probes"]) / duration_s, 2),
                "probes": [[each["target_qps"], each["passed"], each["seconds"]] for each in made["probes"]],
                "official": [[each["target_qps"], each["validity"]] for each in made["official"]],
            }
        )
        show(rows[-1])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--duration", type=float, help="of an official run, seconds")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--find-peak", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.find_peak:
        return real_loadgen(asked.find_peak, asked.duration)
    rows = real(asked.duration or 10.0) if asked.real else simulated(asked.seeds, asked.duration or 60.0)
    print(json.dumps({"processor": platform.processor() or platform.machine(), "rows": rows}))
    return None


if __name__ == "__main__":
    main()
