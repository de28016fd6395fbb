"""What every engine runner shares: its arguments, a workload, and one JSON line per run.

A workload file is {"name", "samples": [{"prompt": [ids], "new": n}, ...]} (the names "input" and "out" are read
too). A result line counts wanted tokens only, and says how busy the machine was with other work meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Item:
    prompt: tuple[int, ...]
    new: int


@dataclass
class Measured:
    seconds: float = 0.0
    peak_rss_bytes: int = 0
    other_cores: float = 0.0
    """Mean cores that were busy with anything else"""
    notes: dict[str, Any] = field(default_factory=dict)


def arguments(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--model", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--workload", type=Path, required=True, help="workload JSON")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--batch", type=int, default=256, help="sequences at once")
    parser.add_argument("--limit", type=int, help="only the first samples")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="JSON-lines file to append to")
    return parser


def read_workload(path: Path, limit: int | None) -> list[Item]:
    samples = json.loads(path.read_text())["samples"][:limit]
    return [Item(tuple(s.get("prompt") or s["input"]), s.get("new") or s["out"]) for s in samples]


def warm_up(items: list[Item]) -> list[Item]:
    """What an engine answers before it is timed: the first requests, shortened, one full step in all."""
    return [Item(item.prompt[:32], 4) for item in items[:32]]


@contextmanager
def measured() -> Iterator[Measured]:
    """Wall time, peak resident memory of this process tree and foreign load of the block."""
    found, stop = Measured(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(found, stop), daemon=True)
    watcher.start()
    busy, own, start = _machine_seconds(), _tree_seconds(), time.perf_counter()
    yield found
    found.seconds = time.perf_counter() - start
    foreign = _machine_seconds() - busy - (_tree_seconds() - own)
    found.other_cores = round(max(0.0, foreign) / found.seconds, 2)
    stop.set()
    watcher.join()


def record(args: argparse.Namespace, engine: str, items: list[Item], found: Measured, **more: Any) -> None:
    """Print the result line, and append it to --out."""
    new = sum(item.new for item in items)
    line = json.dumps(
        {
            "engine": engine,
            "dtype": args.dtype,
            "batch": args.batch,
            "workload": args.workload.stem,
            "samples": len(items),
            "prompt_tokens": sum(len(item.prompt) for item in items),
            "new_tokens": new,
            "seconds": round(found.seconds, 3),
            "tokens_per_s": round(new / found.seconds, 2),
            "samples_per_s": round(len(items) / found.seconds, 4),
            "peak_rss_gib": round(found.peak_rss_bytes / 2**30, 2),
            "other_cores": found.other_cores,
            **found.notes,
            **more,
        }
    )
    print(line)
    if args.out:
        with args.out.open("a") as file:
            file.write(line + "\n")


def medians(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """One summary of several runs of the same engine."""
    rates = [line["tokens_per_s"] for line in lines]
    return {
        "runs": len(lines),
        "tokens_per_s": round(statistics.median(rates), 2),
        "tokens_per_s_all": rates,
        "samples_per_s": round(statistics.median(line["samples_per_s"] for line in lines), 4),
        "peak_rss_gib": max(line["peak_rss_gib"] for line in lines),
        "other_cores_max": max(line["other_cores"] for line in lines),
    }


def _tree() -> list[psutil.Process]:
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def _tree_seconds() -> float:
    times = [_or_none(lambda p=p: p.cpu_times()) for p in _tree()]
    return float(sum(t.user + t.system for t in times if t is not None))


def _machine_seconds() -> float:
    t = psutil.cpu_times()
    return t.user + t.nice + t.system


def _watch(found: Measured, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        sizes = [_or_none(lambda p=p: p.memory_info()) for p in _tree()]
        found.peak_rss_bytes = max(found.peak_rss_bytes, sum(s.rss for s in sizes if s is not None))


def _or_none(read: Any) -> Any:
    """A reading of a process that may just have ended."""
    try:
        return read()
    except psutil.Error:
        return None
