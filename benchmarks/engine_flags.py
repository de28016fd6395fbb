"""Our products as lesser processors than this one run them: compiled for each, beside PyTorch held to the same
instructions, and beside what a core can multiply and read with them. JSON.

    python benchmarks/engine_flags.py --march haswell,skylake-avx512,native --out flags.json

Each set runs in a process of its own. Times are CPU seconds of one thread, the best of a few, with weights cycled
through more than the caches, so that foreign processes disturb caches and memory but not the count. A processor that
has the instructions of another is not that other: a real one should be measured with `native`.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from assay.config import Precision
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops.cpu import build, library
from assay.engine.ops.cpu.cpu_ops import CpuOps
from assay.engine.ops.cpu.instructions import choose
from assay.engine.ops.cpu.packer import Packed

ONEDNN_ISA = {
    "x86-64": "SSE41",
    "haswell": "AVX2",
    "skylake-avx512": "AVX512_CORE",
    "cascadelake": "AVX512_CORE_VNNI",
    "native": "DEFAULT",
}
"""What ONEDNN_MAX_CPU_ISA is for each -march. oneDNN has nothing below SSE 4.1."""
CYCLED_BYTES = 96 << 20
REPEATS, ENOUGH_SECONDS = 3, 3.0
PEAK = """
#include <cstdint>
#if defined(__AVX512F__)
constexpr int BYTES = 64;
#elif defined(__AVX2__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif
typedef float Floats __attribute__((vector_size(BYTES)));
extern "C" int64_t multiply(int64_t times, float by) {   // gives the multiplications
    Floats sum[12] = {}, a = Floats{} + by, b = Floats{} + by;
    for (int64_t i = 0; i < times; ++i)
        for (int j = 0; j < 12; ++j) {
            sum[j] += a * b;
            asm volatile("" : "+x"(sum[j]));
        }
    return times * 12 * (BYTES / 4);
}
extern "C" float read(const float* from, int64_t count) {
    Floats sum[8] = {}, next;
    for (int64_t i = 0; i < count; i += 8 * (BYTES / 4))
        for (int j = 0; j < 8; ++j) {
            __builtin_memcpy(&next, from + i + j * (BYTES / 4), BYTES);
            sum[j] += next;
        }
    float all = 0;
    for (Floats each : sum) all += each[0];
    return all;
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--march", default=",".join(ONEDNN_ISA))
    parser.add_argument(
        "--kernels", default="portable", help="portable, or native: the best set of each form"
    )
    parser.add_argument("--shapes", default="576x1536,4096x14336", help="depth x columns")
    parser.add_argument("--rows", default="1,8,32,256")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(args)))
        return
    found = []
    for march in args.march.split(","):
        more = {"ONEDNN_MAX_CPU_ISA": ONEDNN_ISA.get(march, "DEFAULT")}
        words = [sys.executable, __file__, *sys.argv[1:], "--child", "--march", march]
        done = subprocess.run(words, env=os.environ | more, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout) | more)
        print_table(found[-1])
    if args.out:
        args.out.write_text(json.dumps(found, indent=1))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(1)
    flags = () if args.march == "native" else (f"-march={args.march}",)
    lib = library.load(build.build(flags))
    chosen, _ = choose(lib, args.kernels)
    peak, read = limits(flags)
    rows = tuple(map(int, args.rows.split(",")))
    products = []
    for shape in args.shapes.split(","):
        depth, columns = map(int, shape.split("x"))
        weights = max(1, CYCLED_BYTES // (2 * depth * columns))
        for precision in (Precision.BFLOAT16, Precision.INT8):
            model = DecoderConfig(8, depth, columns, 1, 16, 4, 64, 8, 2, 1e-5, 1e4, 8, False, ())
            ops = CpuOps(lib, precision, model, 1, chosen)
            packed = [ops.pack_matrix(random(columns, depth)) for _ in range(weights)]
            for count in rows:
                x, work = random(count, depth).bfloat16(), 2 * count * depth * columns * weights / 1e9
                rate = work / best_seconds(ours(ops, x, packed), weights)
                size = (2 if precision is Precision.BFLOAT16 else 1) * depth * columns * weights / 1e9
                products.append(
                    {"depth": depth, "columns": columns, "rows": count, "precision": precision.value}
                    | {"gop_per_s": round(rate, 1), "of_fma_peak": round(rate / peak, 3)}
                    | {"of_read_rate": round(size * rate / work / read, 3)}
                )
            if not args.no_peers:
                for each in products[-len(rows) :]:
                    rates = peers(precision, depth, columns, weights, each["rows"])
                    each["of_peer"] = {
                        name: round(each["gop_per_s"] / rate, 2) for name, rate in rates.items()
                    }
    return {
        "march": args.march,
        "instructions": ops.name,
        "fma_peak_gflop_per_s": round(peak, 1),
        "read_gb_per_s": round(read, 2),
        "products": products,
    }


def ours(ops: CpuOps, x: torch.Tensor, packed: list[Packed]) -> Callable[[int], object]:
    return lambda i: ops.linear(x, packed[i])


def peers(precision: Precision, depth: int, columns: int, weights: int, rows: int) -> dict[str, float]:
    """GOP/s of PyTorch. bfloat16: its linear in bfloat16, and oneDNN's prepacked one in float32, whose multiplications
    are the same where a processor has none of bfloat16. int8: the plain product of int8, without scales."""
    x, stored = random(rows, depth), [random(columns, depth) for _ in range(weights)]
    calls: dict[str, Callable[[int], object]] = {}
    if precision is Precision.INT8:
        small, theirs = (x * 30).to(torch.int8), [(w * 30).to(torch.int8).T for w in stored]
        calls["int8"] = lambda i: torch._int_mm(small, theirs[i])
    else:
        short, halves = x.bfloat16(), [w.bfloat16() for w in stored]
        packed = [torch.ops.mkldnn._reorder_linear_weight(w, rows) for w in stored]
        calls["bfloat16"] = lambda i: torch.nn.functional.linear(short, halves[i])
        calls["float32"] = lambda i: torch.ops.mkldnn._linear_pointwise(x, packed[i], None, "none", [], "")
    work = 2 * rows * depth * columns * weights / 1e9
    return {name: work / best_seconds(call, weights) for name, call in calls.items()}


def limits(flags: tuple[str, ...]) -> tuple[float, float]:
    """GFLOP/s of multiply-adds in registers, and GB/s read from memory, of one core."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "peak.cpp"), Path(folder, "peak.so")
        source.write_text(PEAK)
        native = () if flags else ("-march=native",)
        subprocess.run(["g++", "-O3", *native, *flags, "-fPIC", "-shared", source, "-o", out], check=True)
        lib = ctypes.CDLL(str(out))
    lib.multiply.argtypes, lib.multiply.restype = (ctypes.c_int64, ctypes.c_float), ctypes.c_int64
    lib.read.argtypes, lib.read.restype = (ctypes.c_void_p, ctypes.c_int64), ctypes.c_float
    times, long = 1 << 23, torch.ones(64 << 20)
    work = 2 * lib.multiply(times, 1.5)
    multiply = best_seconds(lambda _: lib.multiply(times, 1.5), 1)
    return work / multiply / 1e9, long.nbytes / 1e9 / best_seconds(
        lambda _: lib.read(long.data_ptr(), long.numel()), 1
    )


def best_seconds(call: Callable[[int], object], count: int) -> float:
    """CPU time of this thread for `count` calls, the best of a few."""
    took: list[float] = []
    while len(took) < REPEATS and sum(took) < ENOUGH_SECONDS:
        start = time.thread_time()
        for i in range(count):
            call(i)
        took.append(time.thread_time() - start)
    return min(took)


def random(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows))


def print_table(found: dict[str, Any]) -> None:
    peak, read = found["fma_peak_gflop_per_s"], found["read_gb_per_s"]
    print(
        f"\n{found['march']}: {found['instructions']}; a core multiplies {peak} GFLOP/s, reads {read} GB/s\n"
    )
    print("| product | precision | rows | GOP/s | of the FMA peak | of reading | of PyTorch |")
    print("|---|---|---|---|---|---|---|")
    for p in found["products"]:
        peers = ", ".join(f"{name} {ratio}" for name, ratio in p.get("of_peer", {}).items())
        words = (f"{p['depth']} x {p['columns']}", p["precision"], p["rows"], p["gop_per_s"])
        print(
            "|", " | ".join(map(str, (*words, p["of_fma_peak"], p["of_read_rate"], peers))), "|", flush=True
        )


if __name__ == "__main__":
    main()
