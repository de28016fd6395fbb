"""Speed and memory of the checker on a generated tree of about 30,000 files and 1,000 LLM scenario results.

    python benchmarks/checker.py make FOLDER                  # generate the tree (about 200 MB)
    python benchmarks/checker.py run FOLDER [--official FILE]  # judge it; with FILE, by that official checker too

The official checker is not part of Assay: FILE is a monolithic submission_checker.py of mlcommons/inference, run
as it is on the same tree. Prints one JSON object: seconds (median), files, results, peak memory summed over workers.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
SYSTEMS = 84
FILES_PER_SYSTEM = 360
ROUND = "v5.1"


def make(root: Path) -> None:
    """A tree of closed submissions: 84 systems x 6 LLM workloads x their scenarios, padded with code files."""
    from assay.mlperf.rounds import round as rounds
    from assay.mlperf.submission.tree_request import TreeRequest
    from assay.mlperf.submission.write import write
    from tests.mlperf import run_folder

    round_ = rounds.load(ROUND)
    keys = ("mixtral-8x7b", "llama2-70b-99", "llama2-70b-99.9", "llama3.1-405b", "llama3.1-8b", "deepseek-r1")
    # What else a log of LoadGen holds: about 90 more records, one of them with every sample index.
    kinds = (
        "min",
        "max",
        "mean",
        *(f"{p}_percentile" for p in ("50.00", "90.00", "95.00", "97.00", "99.90")),
    )
    others = [f"result_{name}_{kind}_latency_ns" for name in ("first_token", "query", "x") for kind in kinds]
    others += [f"requested_setting_{i}" for i in range(33)] + [f"effective_setting_{i}" for i in range(33)]
    records = [run_folder.record(key, 123_456_789) for key in others]
    filler = "\n".join([*records, run_folder.record("loaded_qsl_set", list(range(15_000)))]) + "\n"
    for number in range(SYSTEMS):
        submitter = f"Submitter{number // 6:02d}"
        name = f"system-{number:03d}"
        for key in keys:
            rules = round_.workload(key)
            with tempfile.TemporaryDirectory() as folder:
                scenarios = (*rules.required, *rules.one_of[:1])
                run = run_folder.write(
                    Path(folder) / "run", ROUND, key, scenarios, answer_count=60, more_log=filler
                )
                request = TreeRequest(submitter, "closed", round_, lambda r, s: f"# {r.workload} {s}\n", name)
                write([run], request, root)
        code = root / "closed" / submitter / "code" / "mixtral-8x7b" / name
        code.mkdir(parents=True)
        written = sum(1 for _ in (root / "closed" / submitter).rglob(f"*/{name}/**/*.*"))
        for index in range(max(0, FILES_PER_SYSTEM - written)):
            (code / f"kernel_{index:03d}.py").write_text("# source\n" * 20)


class Measured(NamedTuple):
    seconds: float
    cpu_seconds: float
    peak_mb: float
    """Of the process tree, shared pages counted once (PSS)."""
    output: str


def measure(command: list[str], folder: Path) -> Measured:
    """Run a command. CPU seconds tell the tools apart even where other work shares the machine."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        root = psutil.Process(process.pid)
        while not done.wait(0.25):
            try:
                tree = [root, *root.children(recursive=True)]
                peak = max(peak, sum(p.memory_full_info().pss for p in tree) / 2**20)
            except psutil.Error:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert process.stdout is not None
    output = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak, output)


def run(root: Path, official: Path | None, repeats: int) -> dict[str, object]:
    """Ours and theirs in turn, so that both meet the same machine."""
    ours: list[Measured] = []
    theirs: list[Measured] = []
    result: dict[str, object] = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    for path in root.rglob("*.*"):  # warm the file cache for both
        if path.is_file():
            path.read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(repeats):
            command = [sys.executable, "-m", "assay", "check", str(root), "--round", ROUND, "--json"]
            ours.append(measure(command, Path(scratch)))
            if official is not None:
                command = [sys.executable, str(official), "--input", str(root), "--version", ROUND]
                theirs.append(measure(command, Path(scratch)))
    judged = json.loads(ours[0].output[ours[0].output.index("{") :])["summary"]
    result |= {k: judged[k] for k in ("files", "results", "results_without_errors", "errors")}
    result["assay"] = middle(ours)
    if theirs:
        counts = next(line for line in theirs[0].output.splitlines() if "Results=" in line)
        result |= {"official": middle(theirs), "official_counts": counts[counts.index("Results=") :]}
        for name in ("seconds", "cpu_seconds"):
            result[f"times_less_{name}"] = round(middle(theirs)[name] / middle(ours)[name], 2)
    return result


def middle(runs: list[Measured]) -> dict[str, float]:
    """Medians, and the highest peak."""
    return {
        "seconds": statistics.median(run.seconds for run in runs),
        "cpu_seconds": statistics.median(run.cpu_seconds for run in runs),
        "peak_mb": max(run.peak_mb for run in runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=("make", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--official", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    if args.action == "make":
        make(args.folder)
    else:
        print(json.dumps(run(args.folder.absolute(), args.official, args.repeats), indent=2))


if __name__ == "__main__":
    main()
