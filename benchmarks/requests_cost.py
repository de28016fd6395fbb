"""What requests.parquet costs a run of a million samples: the whole of `assay bench --sut echo` with and without it, by
turns.

    python benchmarks/requests_cost.py [--pairs 5] [--samples 1045200]

Without: the LoadGen child keeps and saves no times, and the parent reads, makes and writes no rows. Prints one JSON
object: of each way the wall time of the command, the processor time of all its processes, and the part of the wall time
behind LoadGen's last word, where the rows are made; the shares are those of the medians of the pairs' differences.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

SECONDS = 1
"""Shortest run: all queries are issued at once, so the number of samples decides."""
OVERHEAD = 1.1
"""LoadGen sizes an Offline query by rate x duration x this. Source: LoadGen, kSlackFactor of its loadgen.cc."""


def main_without(control: Any) -> int:
    """In place of the LoadGen child's own: calls are not stamped."""
    from assay.mlperf.run import loadgen, request_times

    patch.object(request_times.Stamps, "add", lambda *_: None).start()
    patch.object(request_times.Recorder, "save", lambda *_: None).start()
    return loadgen.main(control)


main = main_without
"""`child_main` calls it so."""


def bench(out: Path, rate: float, with_rows: bool) -> None:
    """In a process of its own: the command, and when LoadGen's child had ended."""
    import pyarrow as pa

    from assay import cli
    from assay.bench import measure
    from assay.mlperf.run import requests, session
    from assay.mlperf.run.request_times import RequestTimes
    from assay.mlperf.sut import host

    if not with_rows:
        once, at = np.ones(1, np.int32), np.ones(1, np.int64)  # the window of the energy meter is asked for
        start, one = host.start_child, RequestTimes(once, at, None, at, once)
        patch.object(
            session, "start_child", lambda name, _, log: start(name, Path(__file__).stem, log)
        ).start()
        patch.object(measure, "times_of", lambda *_: one).start()
        patch.object(requests, "table", lambda *_: pa.table({})).start()
        patch.object(requests, "write", lambda *_: None).start()
    perform, ended = session.Session._perform, list[float]()

    def timed(*args: Any) -> Any:
        try:
            return perform(*args)
        finally:
            ended.append(time.monotonic())

    patch.object(session.Session, "_perform", timed).start()
    arguments = ["bench", "mixtral-nano", "--sut", "echo", "--mode", "performance", "--out", str(out)]
    code = cli.main([*arguments, "--target-qps", f"{rate:.6g}", "--min-duration", f"{SECONDS}s"])
    print(json.dumps(ended[-1]))
    sys.exit(code)  # a run that ends early would make the other one dear


def measured(with_rows: bool, rate: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "run"
        call = f"import requests_cost; requests_cost.bench(requests_cost.Path({str(out)!r}), {rate}, {with_rows})"
        here = str(Path(__file__).parent)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}
        before, began = os.times(), time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", call], env=environment, check=True, capture_output=True, text=True
        )
        ended, after = time.monotonic(), os.times()
        has_rows = (out / "requests.parquet").is_file()
        assert has_rows == with_rows
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    loadgen_ended = json.loads(done.stdout.splitlines()[-1])
    return {"wall_s": ended - began, "cpu_s": cpu, "after_loadgen_s": ended - loadgen_ended}


def compare() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--samples", type=int, default=1_045_200)
    asked = parser.parse_args()
    rate = asked.samples / SECONDS / OVERHEAD
    pairs = []
    for number in range(asked.pairs):
        order = (True, False) if number % 2 else (False, True)
        pairs.append(dict(zip(order, [measured(each, rate) for each in order])))
        print(number, pairs[-1], file=sys.stderr, flush=True)
    told: dict[str, Any] = {"processor": platform.processor() or platform.machine(), "pairs": asked.pairs}
    for what in pairs[0][True]:
        without = statistics.median(pair[False][what] for pair in pairs)
        more = [pair[True][what] - pair[False][what] for pair in pairs]
        told[what] = {
            "with": [round(pair[True][what], 3) for pair in pairs],
            "without": [round(pair[False][what], 3) for pair in pairs],
            "median_without": round(without, 3),
            "median_more": round(statistics.median(more), 4),
        }
    whole = {"wall_s": "wall_s", "cpu_s": "cpu_s", "after_loadgen_s": "wall_s"}
    told["percent"] = {
        what: round(100 * told[what]["median_more"] / told[of]["median_without"], 2)
        for what, of in whole.items()
    }
    print(json.dumps(told))


if __name__ == "__main__":
    compare()
