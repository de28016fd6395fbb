"""How many runs a side `assay compare` needs to find an engine that has become 5 % slower.

    python benchmarks/compare_planted.py FOLDER [--pairs 12] [--seconds 4]

Runs the embedded workload (Offline) in turns into FOLDER: A is the engine, B the engine whose every step waits as long
again as 5 % of it took. Both say the same of themselves, so nothing but the speed differs. Runs that are there already
are taken. Prints JSON: for each number of runs a side how often compare found B lower, over all runs of turns that
follow each other, which overlap, so they are no independent tries; and how many pairs compare itself asks for.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from assay.bench import library
from assay.mlperf.record import result
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests
from assay.report import compare
from assay.report.run_side import RunSide
from assay.suts import engine
from compare_repeats import METRIC, concluded, side_of

PLANTED = 0.05
LEAST = 2
"""Runs a side: one has no spread."""


def build(spec: Any, samples: Any, sink: Any) -> Any:
    """The slower engine, in the SUT process of B alone: a module of a SUT has this function."""
    from assay.engine.api import Engine
    from assay.suts import engine_sut

    step = Engine.step

    def slower(self: Engine) -> Any:
        began = time.perf_counter()
        made = step(self)
        time.sleep(PLANTED * (time.perf_counter() - began))
        return made

    Engine.step = slower  # type: ignore[method-assign]
    return engine_sut.build(spec, samples, sink)


def run_of(place: Path, module: str, seconds: float) -> RunSide:
    if not RunFolder(place).requests.is_file():  # a run that was stopped has none
        shutil.rmtree(place, ignore_errors=True)
        engine.KIND = dataclasses.replace(engine.KIND, module=module)
        library.bench("mixtral-nano", mode="performance", out=place, min_duration=seconds)
    return RunSide(place.name, result.read(place), requests.read(RunFolder(place).requests))


def rate(run: RunSide) -> float:
    found = run.result.runs[0].figure(METRIC)
    assert found is not None
    return found.value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=4.0)
    asked = parser.parse_args()
    modules = {"a": engine.KIND.module, "b": Path(__file__).stem}
    sides: dict[str, list[RunSide]] = {"a": [], "b": []}
    for number in range(asked.pairs):
        for side, module in modules.items():
            sides[side].append(run_of(asked.folder / f"{side}{number:02}", module, asked.seconds))
            print(f"{side}{number:02}\t{rate(sides[side][-1]):.0f} tokens/s", file=sys.stderr, flush=True)
    a, b = sides.values()
    found = {
        count: Counter(
            concluded(side_of(a[first : first + count]), side_of(b[first : first + count]))
            for first in range(asked.pairs - count + 1)
        )
        for count in range(LEAST, asked.pairs + 1)
    }
    whole = next(each for each in compare.compare(side_of(a), side_of(b)).ratios if each.metric == METRIC)
    logs = [np.log([rate(run) for run in side]) for side in (a, b)]
    told = {
        "processor": platform.processor() or platform.machine(),
        "seconds": asked.seconds,
        "planted": PLANTED,
        "tokens_per_s": {name: [round(rate(run), 1) for run in side] for name, side in sides.items()},
        "spread": [round(float(np.std(side, ddof=1)), 4) for side in logs],
        "ratio": whole.ratio,
        "interval": whole.interval,
        "pairs_by_compare": whole.pairs,
        "runs_a_side": {count: dict(said) for count, said in found.items()},
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
