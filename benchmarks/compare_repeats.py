"""Whether `assay compare` tells a change from noise: the same short run again and again on this machine.

    python benchmarks/compare_repeats.py FOLDER [--side 3] [--comparisons 20] [--earlier 5] [--sut engine] [--pace 500]

Runs the embedded workload (Offline) one time after the other into FOLDER; runs that are there already are taken. A
comparison takes 2 x SIDE runs in turns: A, B, A, B, …; it begins one run after the one before, the first after EARLIER
runs. Prints how many are "no difference shown": with one run a side alone, with one and the runs before as earlier
ones, with SIDE runs a side (by pairs of runs); then the same with B made 5 % slower, in its rows and figures; and what
becomes of 3 of 100 answers that are made wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.mlperf.record import result
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from assay.report import compare
from assay.report.run_side import RunSide

SLOWER = 1.05
TIMES = ("first_token_ns", "end_ns")
METRIC = "tokens_per_s"
LOST = 3


def run_of(folder: Path, number: int, sut: str, seconds: float, more: Sequence[str]) -> RunSide:
    place = folder / f"{sut}-{number:02}"
    if not RunFolder(place).requests.is_file():  # a run that was stopped has none
        shutil.rmtree(place, ignore_errors=True)
        # The first one has answers to score, too.
        modes = [] if number == 0 else ["--mode", "performance"]
        command = [sys.executable, "-m", "assay", "bench", "mixtral-nano", "--sut", sut, "--out", str(place)]
        command += ["--min-duration", f"{seconds:g}s", *modes, *more]
        subprocess.run(command, check=True, capture_output=True)
    made = RunSide(place.name, result.read(place), requests.read(RunFolder(place).requests))
    figure = made.result.runs[0].figure(METRIC)
    print(
        f"run {number}\t{figure.value if figure else 0:.0f} tokens/s\tload {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return made


def slowed(run: RunSide) -> RunSide:
    """Every time 5 % longer, every rate as much lower."""
    table = run.requests
    assert table is not None
    for name in TIMES:
        if table[name].null_count == 0:
            longer = np.round(table[name].to_numpy() * SLOWER).astype(np.int64)
            table = table.set_column(table.column_names.index(name), name, pa.array(longer))
    return dataclasses.replace(
        run, result=_slow(run.result), requests=table, repeats=tuple(map(_slow, run.repeats))
    )


def _slow(made: result.RunResult) -> result.RunResult:
    runs = tuple(
        dataclasses.replace(
            each,
            figures=tuple(
                dataclasses.replace(f, value=f.value * (SLOWER if f.unit == "ms" else 1 / SLOWER))
                for f in each.figures
            ),
        )
        for each in made.runs
    )
    return dataclasses.replace(made, runs=runs)


def with_losses(run: RunSide) -> RunSide:
    """The first answers that were right are wrong."""
    table = run.requests
    assert table is not None
    name = "score.gsm8k"
    values = table[name].to_pylist()
    right = [place for place, value in enumerate(values) if value is not None and value > 0][:LOST]
    changed = [0.0 if place in right else value for place, value in enumerate(values)]
    return dataclasses.replace(
        run, requests=table.set_column(table.column_names.index(name), name, pa.array(changed))
    )


def side_of(runs: Sequence[RunSide]) -> RunSide:
    first, *others = runs
    return dataclasses.replace(first, repeats=tuple(each.result for each in others))


def concluded(a: RunSide, b: RunSide) -> str:
    found = next(each for each in compare.compare(a, b).ratios if each.metric == METRIC)
    return found.conclusion


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=3)
    parser.add_argument("--comparisons", type=int, default=20)
    parser.add_argument("--earlier", type=int, default=5, help="runs before the first comparison")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--sut", default="engine")
    parser.add_argument(
        "--pace", help="of the echo SUT, samples/s: a system whose speed no other process changes"
    )
    asked = parser.parse_args()
    needed = asked.earlier + asked.comparisons - 1 + 2 * asked.side
    more = ["--pace", asked.pace] if asked.pace else []
    runs = [run_of(asked.folder, number, asked.sut, asked.seconds, more) for number in range(needed)]
    said: dict[str, Counter[str]] = {}
    for begin in range(asked.earlier, asked.earlier + asked.comparisons):
        window = runs[begin : begin + 2 * asked.side]
        before = tuple(each.result for each in runs[:begin])
        sides = {
            "1 run a side": (window[0], window[1]),
            "1 run a side, earlier runs": (dataclasses.replace(window[0], earlier=before), window[1]),
            f"{asked.side} runs a side": (side_of(window[0::2]), side_of(window[1::2])),
        }
        for name, (a, b) in sides.items():
            said.setdefault(f"{name}, the same", Counter())[concluded(a, b)] += 1
            said.setdefault(f"{name}, B made 5 % slower", Counter())[concluded(a, slowed(b))] += 1
    for name, counts in said.items():
        print(name, *(f"{what}: {count}" for what, count in counts.most_common()), sep="\t")
    lost = {}
    if "score.gsm8k" in (runs[0].requests.column_names if runs[0].requests is not None else ()):
        found = next(s for s in compare.compare(runs[0], with_losses(runs[0])).scores if s.metric == "gsm8k")
        lost = {"lost": len(found.lost), "p": found.p, "conclusion": found.conclusion}
        print(f"{LOST} answers made wrong\t{lost}")
    rates = [figure.value for run in runs if (figure := run.result.runs[0].figure(METRIC))]
    spread = round(float(np.std(np.log(rates), ddof=1)), 4)
    system = {"processor": platform.processor() or platform.machine(), "sut": asked.sut, "pace": asked.pace}
    told = {**system, "spread": spread, "lost": lost}
    print(json.dumps({**told, "said": {name: dict(counts) for name, counts in said.items()}}))


if __name__ == "__main__":
    main()
