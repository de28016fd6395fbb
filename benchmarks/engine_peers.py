"""Assay's engine and its peers side by side, interleaved, on one machine: one command, one table.

    sh benchmarks/install_peers.sh PEERS
    python benchmarks/engine_peers.py --out FOLDER --peers PEERS [--scaling]

A peer runs in an environment of its own; one that is not installed is listed as skipped, with the reason. Runs go
round by round, so that whatever else the machine does falls on all alike. FOLDER keeps the checkpoint in each form
that a peer reads, and every run in runs.jsonl: the same command again goes on where it was stopped. --scaling runs
Assay alone on 64, 256 and 1024 samples; --only assay-int8 vllm-int8 runs and reports these alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.engine.families import read_model_config
from engine_floor import Limits, floor_seconds
from engine_forms import make_gguf, make_int8, make_openvino, quantise_gguf
from engine_limits import MachineLimits, machine_limits
from engine_material import make_checkpoint, make_workload
from engine_record import medians, read_workload

HERE = Path(__file__).parent
FEW = 32
"""Samples for engines below 60 tokens/s, which also run only once"""
SCALES, SLOTS_MAX = (64, 256, 1024), 256
BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.0, "Q8_0": 34 / 32, "Q4_K_M": 4.9 / 8}
"""Of one weight. Q8_0: 32 weights and a 2-byte scale; Q4_K_M: 4.9 bits by the size of the file it makes."""


@dataclass(frozen=True)
class Peer:
    """One engine in one setting."""

    key: str
    script: str
    python: str | None
    """None: not installed"""
    dtype: str
    batch: int
    samples: int
    rounds: int
    model: str = "checkpoint"
    """The form it reads, in --out"""
    more: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    why_absent: str = ""

    def command(self, folder: Path, out: Path) -> list[str]:
        words = [str(self.python), str(HERE / self.script), "--model", str(folder / self.model)]
        words += ["--workload", str(folder / "workload.json"), "--dtype", self.dtype]
        words += ["--batch", str(self.batch), "--limit", str(self.samples), "--out", str(out)]
        return [*words, *self.more]


def peers(args: argparse.Namespace) -> list[Peer]:
    n, rounds, me = args.samples, args.rounds, sys.executable
    fewer = (rounds + 1) // 2
    return [
        Peer("assay-bf16", "run_assay.py", me, "bfloat16", n, n, rounds),
        vllm("bf16", args, "bfloat16", n, rounds, zentorch=True),
        Peer("assay-int8", "run_assay.py", me, "int8", n, n, fewer),
        vllm("int8", args, "int8", n, fewer, zentorch=True),
        vllm("bf16", args, "bfloat16", n, rounds),
        vllm("int8", args, "int8", n, 1),
        Peer("assay-bf16-few", "run_assay.py", me, "bfloat16", FEW, FEW, fewer),
        vllm("bf16-few", args, "bfloat16", FEW, fewer, zentorch=True),
        *(llamacpp(args, dtype) for dtype in ("bfloat16", "Q8_0", "Q4_K_M")),
        *(openvino(args, dtype) for dtype in ("bfloat16", "int8")),
        Peer("transformers-bf16-few", "engine_run_transformers.py", me, "bfloat16", FEW, FEW, 1),
        Peer("transformers-f32-b1", "engine_run_transformers.py", me, "float32", 1, FEW, 1),
    ]


def vllm(
    name: str, args: argparse.Namespace, dtype: str, samples: int, rounds: int, zentorch: bool = False
) -> Peer:
    python, zen = found(args.peers, "VLLM/bin/python"), found(args.peers, "ZEN/zentorch")
    return Peer(
        f"vllm-zentorch-{name}" if zentorch else f"vllm-{name}",
        "engine_run_vllm.py",
        python if zen or not zentorch else None,
        dtype,
        samples,
        samples,
        rounds,
        model="checkpoint-int8" if dtype == "int8" else "checkpoint",
        env={"PYTHONPATH": str(Path(zen).parent)} if zen and zentorch else {},
        why_absent=absent("VLLM and ZEN" if zentorch else "VLLM"),
    )


def llamacpp(args: argparse.Namespace, dtype: str) -> Peer:
    server = found(args.peers, "llama.cpp/llama-server")
    return Peer(
        f"llamacpp-{dtype.lower()}-few",
        "engine_run_llamacpp.py",
        sys.executable if server else None,
        dtype,
        FEW,
        FEW,
        1,
        model=f"{dtype}.gguf",
        more=("--server", str(server)),
        why_absent=absent("llama.cpp"),
    )


def openvino(args: argparse.Namespace, dtype: str) -> Peer:
    return Peer(
        f"openvino-{dtype}-few",
        "engine_run_openvino.py",
        found(args.peers, "OV/bin/python"),
        dtype,
        FEW,
        FEW,
        1,
        model=f"openvino-{dtype}",
        why_absent=absent("OV"),
    )


def found(folder: Path | None, name: str) -> str | None:
    path = folder / name if folder else None
    return str(path) if path and path.exists() else None


def absent(names: str) -> str:
    return f"{names} not found in --peers; benchmarks/install_peers.sh installs it"


def scaling(args: argparse.Namespace) -> list[Peer]:
    return [
        Peer(f"assay-{name}-{n}", "run_assay.py", sys.executable, dtype, min(n, SLOTS_MAX), n, args.rounds)
        for name, dtype in (("bf16", "bfloat16"), ("int8", "int8"))
        for n in SCALES
    ]


def main() -> None:
    args = parse(sys.argv[1:])
    known = (scaling if args.scaling else peers)(args)
    if unknown := set(args.only) - {peer.key for peer in known}:
        sys.exit(f"--only {' '.join(sorted(unknown))}: known are {' '.join(peer.key for peer in known)}")
    args.out.mkdir(parents=True, exist_ok=True)
    make_checkpoint(args.out / "checkpoint")
    make_workload(args.out / "workload.json", max(args.samples, *SCALES))
    limits = machine_limits(args.out)
    chosen = [prepared(peer, args) for peer in known if not args.only or peer.key in args.only]
    for number in range(args.rounds):
        for peer in chosen:
            if peer.python and number < peer.rounds:
                run(peer, number, args.out, args.timeout)
    report = summarise(chosen, args, limits)
    name = "engine_scaling.json" if args.scaling else "engine_peers.json"
    (args.out / name).write_text(json.dumps(report, indent=1))
    print(table(report))


def prepared(peer: Peer, args: argparse.Namespace) -> Peer:
    """The peer with its form of the checkpoint made, or absent with the reason."""
    checkpoint, path = args.out / "checkpoint", args.out / peer.model
    if peer.python is None:
        return peer
    try:
        if peer.model == "checkpoint-int8":
            make_int8(checkpoint, path)
        elif path.suffix == ".gguf":
            make_gguf(checkpoint, args.out / "bfloat16.gguf")
            quantise_gguf(
                args.peers / "llama.cpp/llama-quantize", args.out / "bfloat16.gguf", path, peer.dtype
            )
        elif peer.model.startswith("openvino"):
            make_openvino(peer.python, checkpoint, path, peer.dtype)
    except subprocess.CalledProcessError as error:
        return replace(peer, python=None, why_absent=f"{peer.model} was not made: {last_words(error.stderr)}")
    return peer


def parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare CPU engines on one Mixtral workload.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, workload and results")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path, help="folder that install_peers.sh filled")
    parser.add_argument("--scaling", action="store_true", help="Assay alone, on 64, 256 and 1024 samples")
    parser.add_argument("--only", nargs="+", default=[], metavar="ENGINE", help="these alone")
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
    # In a session of its own, so that an engine's own processes end with it.
    with subprocess.Popen(
        peer.command(folder, out),
        env=os.environ | peer.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as engine:
        try:
            said = engine.communicate(timeout=timeout)[0]
            words = last_words(said) or f"exit code {engine.returncode}"
        except subprocess.TimeoutExpired:
            words = f"longer than {timeout:g} s"
        finally:
            if engine.poll() is None:
                os.killpg(engine.pid, signal.SIGKILL)
    line = json.loads(out.read_text()) if out.exists() else {"failed": words}
    with runs.open("a") as file:
        file.write(json.dumps({"key": peer.key, "round": number, **line}) + "\n")


def last_words(said: str) -> str:
    """The last error that a failing program named, but for those that only point at an earlier one."""
    errors = [e for e in re.findall(r"\w*(?:Error|Exception): .+", said) if "root cause" not in e]
    return "".join(errors[-1:] or said.strip().splitlines()[-1:])


def read_runs(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def summarise(chosen: list[Peer], args: argparse.Namespace, limits: MachineLimits) -> dict[str, Any]:
    """Medians of each peer, its share of the floor, and ratios of assay to each on the same samples."""
    runs = read_runs(args.out / "runs.jsonl")
    report: dict[str, Any] = {
        "machine": asdict(limits),
        "engines": {},
        "skipped": {},
        "ratios": {},
    }
    for peer in chosen:
        lines = [line for line in runs if line["key"] == peer.key]
        good = [line for line in lines if "failed" not in line]
        if good:
            report["engines"][peer.key] = medians(good) | shares(peer, good, args, limits)
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


def shares(
    peer: Peer, lines: list[dict[str, Any]], args: argparse.Namespace, machine: MachineLimits
) -> dict[str, float]:
    """Floors over the median time: how near the engine comes to the machine's limits."""
    best = machine.gflop_per_s.get(peer.dtype, machine.gflop_per_s["int8"])
    limits = Limits(machine.read_gb_per_s * 1e9, best * 1e9, BYTES[peer.dtype])
    items = read_workload(args.out / "workload.json", peer.samples)
    model, rate = read_model_config(args.out / "checkpoint"), medians(lines)["samples_per_s"]

    def share(limits: Limits) -> float:
        return round(float(floor_seconds(model, items, peer.batch, limits) * rate) / len(items), 3)

    found = {"share_of_floor": share(limits)}
    if peer.dtype == "bfloat16":
        by_rows = tuple((rows, rate * 1e9) for rows, rate in machine.bf16_by_rows)
        found["share_of_floor_by_rows"] = share(replace(limits, by_rows=by_rows))
    return found


def ratios(runs: list[dict[str, Any]], mine: str, other: str) -> dict[str, Any] | None:
    """Tokens/s of `mine` over `other`, round by round, and the median of those."""
    rate = {(r["key"], r["round"]): r["tokens_per_s"] for r in runs if "failed" not in r}
    rounds = sorted(n for key, n in rate if key == mine and (other, n) in rate)
    if not rounds:
        return None
    pairs = sorted(round(rate[mine, n] / rate[other, n], 3) for n in rounds)
    return {"median": round(statistics.median(pairs), 3), "pairs": pairs}


def table(report: dict[str, Any]) -> str:
    machine = report["machine"]
    lines = [
        f"{machine['processor']} ({machine['features']}), {machine['cores']} cores, "
        f"{machine['read_gb_per_s']:g} GB/s, GFLOP/s {machine['gflop_per_s']}",
        "",
        "| engine | out tok/s | samples/s | ms a sample | peak GiB | share of its floor | runs | other cores, most |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ranked = sorted(report["engines"].items(), key=lambda pair: -pair[1]["tokens_per_s"])
    lines += [
        f"| {key} | {e['tokens_per_s']} | {e['samples_per_s']} | "
        f"{1000 / e['samples_per_s']:.0f} | {e['peak_rss_gib']} | "
        f"{100 * e['share_of_floor']:.0f} % | {e['runs']} | {e['other_cores_max']} |"
        for key, e in ranked
    ]
    lines += ["", *(f"{name}: {r['median']} x" for name, r in report["ratios"].items())]
    lines += [f"skipped {key}: {reason}" for key, reason in report["skipped"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
