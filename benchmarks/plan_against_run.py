"""Does the plan hold? `assay plan`, then the same `assay bench`, watched: seconds and peak memory of both.

    python benchmarks/plan_against_run.py mixtral-8x7b --checkpoint DIR --dataset FILE --sut engine ...

Takes the options of `assay plan`. Prints one JSON object; planned over seen within 0.8 to 1.25 is the aim. Memory is
anonymous and shared memory (RssAnon + RssShmem of /proc/PID/status, Linux) summed over the run's processes, looked at
twenty times a second. A first run on a machine also compiles kernels, which no plan counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

ASSAY = [sys.executable, "-m", "assay"]
LOOK_EVERY_S = 0.05
KINDS = ("RssAnon:", "RssShmem:")
"""smaps_rollup would share out what processes share, but walks every page of a model and so slows the run."""
SHARE = 0.25
"""How far the run may be from the plan. Bounds on planned / seen: 1 / (1 + SHARE) and 1 + SHARE."""


def plan(options: list[str]) -> dict[str, Any]:
    done = subprocess.run([*ASSAY, "plan", "--json", *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"the plan is blocked: {done.stdout}{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def memory_bytes(process: psutil.Process) -> int:
    """Of this process alone; 0 when it has just ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(KINDS))


def role(process: psutil.Process) -> str:
    """The module it runs, or its program."""
    try:
        words = process.cmdline()
        return words[words.index("-m") + 1] if "-m" in words[:-1] else process.name()
    except psutil.Error:
        return "?"


def watch(run: psutil.Process, ended: threading.Event, peak: dict[str, int]) -> None:
    while not ended.wait(LOOK_EVERY_S):
        try:
            tree = [run, *run.children(recursive=True)]
        except psutil.Error:
            continue
        parts = {f"{process.pid} {role(process)}": memory_bytes(process) for process in tree}
        if sum(parts.values()) > sum(peak.values()):
            peak.clear()
            peak.update(parts)


def bench(options: list[str]) -> tuple[float, dict[str, int], dict[str, Any]]:
    """Seconds from start to end, bytes of each process at the peak of all, and the run's record."""
    peak: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [*ASSAY, "bench", "--json", "--out", str(Path(folder) / "run"), *options]
        run = psutil.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        ended = threading.Event()
        watcher = threading.Thread(target=watch, args=(psutil.Process(run.pid), ended, peak))
        watcher.start()
        told = run.communicate()[0]
        seconds = time.perf_counter() - began
        ended.set()
        watcher.join()
    if run.returncode != 0:
        sys.exit(f"the run ended with exit code {run.returncode}")
    return seconds, peak, json.loads(told.splitlines()[-1])


def main(options: list[str]) -> int:
    busy = psutil.getloadavg()[0]
    planned = plan(options)
    seconds, peak, record = bench(options)
    ratios = {"seconds": planned["seconds"] / seconds, "ram_bytes": planned["ram_bytes"] / sum(peak.values())}
    report = {
        "benchmark": "plan_against_run",
        "options": options,
        "samples": planned["samples"],
        "planned": {
            **{key: planned[key] for key in ("seconds", "seconds_at_most", "ram_bytes", "answer_tokens")},
            "parts": {name: round(part, 2) for name, part in planned["parts"].items()},
            "notes": planned["notes"],
        },
        "seen": {
            "seconds": seconds,
            "ram_bytes": sum(peak.values()),
            "ram_parts": {name: size for name, size in peak.items() if size},
            "run_seconds": {f"{run['scenario']} {run['mode']}": run["seconds"] for run in record["runs"]},
        },
        "planned_over_seen": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "is_within": all(1 / (1 + SHARE) <= ratio <= 1 + SHARE for ratio in ratios.values()),
        "load_1min": round(busy, 1),
    }
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
