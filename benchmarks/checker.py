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

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
SYSTEMS = 84
FILES_PER_SYSTEM = 360
ROUND = "v5.1"


def make(root: Path) -> None:
    """A tree of closed submissions: 84 systems x 6 LLM workloads x their scenarios, padded with code files."""
    from assay.mlperf import round as rounds
    from assay.mlperf.submission.write import Request, write
    from tests.mlperf import run_folder

    round_ = rounds.load(ROUND)
    keys = ("mixtral-8x7b", "llama2-70b-99", "llama2-70b-99.9", "llama3.1-405b", "llama3.1-8b", "deepseek-r1")
    indices = list(range(15_000))
    for number in range(SYSTEMS):
        submitter = f"Submitter{number // 6:02d}"
        name = f"system-{number:03d}"
        for key in keys:
            rules = round_.workload(key)
            with tempfile.TemporaryDirectory() as folder:
                scenarios = (*rules.required, *rules.one_of[:1])
                run = run_folder.write(Path(folder) / "run", ROUND, key, scenarios, answer_count=60)
                for log in run.rglob("mlperf_log_detail.txt"):
                    log.write_text(log.read_text() + run_folder.record("loaded_qsl_set", indices) + "\n")
                request = Request(submitter, "closed", round_, lambda r, s: f"# {r.workload} {s}\n", name)
                write([run], request, root)
        code = root / "closed" / submitter / "code" / "mixtral-8x7b" / name
        code.mkdir(parents=True)
        written = sum(1 for _ in (root / "closed" / submitter).rglob(f"*/{name}/**/*.*"))
        for index in range(max(0, FILES_PER_SYSTEM - written)):
            (code / f"kernel_{index:03d}.py").write_text("# source\n" * 20)


def measure(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Seconds, peak memory of the process tree in MB (shared pages counted once: PSS), and stdout."""
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
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return seconds, peak, output


def run(root: Path, official: Path | None, repeats: int) -> dict[str, object]:
    """Ours and theirs in turn, so that both meet the same machine."""
    ours, theirs, memory, their_memory = [], [], [], []
    result: dict[str, object] = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    for path in root.rglob("*.*"):  # warm the file cache for both
        if path.is_file():
            path.read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(repeats):
            command = [sys.executable, "-m", "assay", "check", str(root), "--round", ROUND, "--json"]
            seconds, peak, output = measure(command, Path(scratch))
            ours.append(seconds)
            memory.append(peak)
            judged = json.loads(output[output.index("{") :])["summary"]
            result |= {k: judged[k] for k in ("files", "results", "results_without_errors", "errors")}
            if official is not None:
                command = [sys.executable, str(official), "--input", str(root), "--version", ROUND]
                seconds, peak, output = measure(command, Path(scratch))
                theirs.append(seconds)
                their_memory.append(peak)
                result["official_results"] = next(x for x in output.splitlines() if "Results=" in x).split()[
                    -4:
                ]
    result |= {"seconds": statistics.median(ours), "peak_mb": max(memory)}
    if theirs:
        result |= {"official_seconds": statistics.median(theirs), "official_peak_mb": max(their_memory)}
        result["times_faster"] = statistics.median(theirs) / statistics.median(ours)
    return result


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
