"""Whether `assay compare` tells a change from noise: the same short run again and again on this machine.

    python benchmarks/compare_repeats.py FOLDER [--pairs 20]

Runs the embedded workload (engine, Offline, at least 4 s) two times for each pair, one after the other, into FOLDER;
runs that are there already are taken. Prints for each figure how many pairs are "no difference", then the same of A and
A with every time made 5 % longer in its rows and figures, and what becomes of 3 of 100 answers that are made wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.mlperf.record import result
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from assay.report import compare, compare_text
from assay.report.compare import RunSide

SLOWER = 1.05
TIMES = ("first_token_ns", "end_ns")
FIGURES = ("tokens_per_s", "samples_per_s")
LOST = 3


def side(folder: Path) -> RunSide:
    if not RunFolder(folder).result.is_file():
        command = [sys.executable, "-m", "assay", "bench", "--min-duration", "4s", "--out", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    return RunSide(folder.name, result.read(folder), requests.read(RunFolder(folder).requests))


def slowed(run: RunSide) -> RunSide:
    """Every time 5 % longer, every rate as much lower."""
    table = run.requests
    assert table is not None
    for name in TIMES:
        if table[name].null_count == 0:
            longer = np.round(table[name].to_numpy() * SLOWER).astype(np.int64)
            table = table.set_column(table.column_names.index(name), name, pa.array(longer))
    runs = tuple(
        dataclasses.replace(
            each,
            figures=tuple(
                dataclasses.replace(f, value=f.value * (SLOWER if f.unit == "ms" else 1 / SLOWER))
                for f in each.figures
            ),
        )
        for each in run.result.runs
    )
    return RunSide(run.name, dataclasses.replace(run.result, runs=runs), table)


def with_losses(run: RunSide) -> RunSide:
    """The first answers that were right are wrong."""
    table = run.requests
    assert table is not None
    name = "score.gsm8k"
    values = table[name].to_pylist()
    right = [place for place, value in enumerate(values) if value is not None and value > 0][:LOST]
    changed = [0.0 if place in right else value for place, value in enumerate(values)]
    return RunSide(
        run.name, run.result, table.set_column(table.column_names.index(name), name, pa.array(changed))
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=20)
    asked = parser.parse_args()
    same: Counter[tuple[str, str]] = Counter()
    slow: Counter[tuple[str, str]] = Counter()
    lost: Counter[str] = Counter()
    for number in range(asked.pairs):
        a, b = (side(asked.folder / f"{number:02}{letter}") for letter in "ab")
        for kept, other in ((same, b), (slow, slowed(a))):
            for each in compare.compare(a, other).ratios:
                if each.metric in FIGURES:
                    kept[each.metric, each.conclusion] += 1
        for score in compare.compare(a, with_losses(a)).scores:
            if score.metric == "gsm8k":
                lost[f"{len(score.lost)} lost, p = {score.p}, {score.conclusion}"] += 1
        ratios = [r for r in compare.compare(a, b).ratios if r.metric in FIGURES]
        for cells in map(compare_text.ratio_cells, ratios):
            print(number, *cells, sep="\t", flush=True)
    for name, counts in (("the same run", same), ("made 5 % slower", slow)):
        for (metric, conclusion), count in sorted(counts.items()):
            print(f"{name}\t{metric}\t{conclusion}\t{count} of {asked.pairs}")
    for said, count in lost.items():
        print(f"{LOST} answers made wrong\t{said}\t{count} of {asked.pairs}")


if __name__ == "__main__":
    main()
