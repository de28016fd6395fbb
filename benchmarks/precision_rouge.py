"""Is a precision's ROUGE better or worse, or only other? Answers of precisions beside those of slightly other weights.

    python benchmarks/precision_rouge.py --checkpoint DIR --dataset FILE --rows 200 --seeds 10 --out FOLDER

`noise` adds random numbers to each weight that int8 rounds, of the size of int8's error in a product, and runs in
bfloat16: what any error of this size does to ROUGE. `shaken int8` adds a tenth of that and runs in int8: other
roundings of the same model. Printed is a JSON line for each run: the means in percent, their change from bfloat16 with
its 95 % interval over rows, and the part of an answer's words that it has for the first time, because a small model
repeats itself. The last line has the changes over seeds: `noise`, and `int8` with its shaken forms. FOLDER keeps the
values of each row; stopped, the benchmark goes on with the next run. Each run is a process of its own that does not
spin while it waits, so that it may run beside other work.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from assay.bench.answer_quality import BATCH, instruction_rows
from assay.config import Precision
from assay.engine import parity
from assay.engine.config import EngineConfig
from assay.mlperf.data import tokenizer
from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring import interval, rouge

NOISE = 0.01
"""Part of a row's root mean square. int8 rounds to 1/127 of the largest number of a row of weights and of activations,
of some 3.2 times its root mean square: 3.2 / 127 / 12 ** 0.5 = 0.7 % from either, 1 % from both."""
SHAKE = NOISE / 10
ROUNDED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "w1", "w2", "w3")
"""Names of matrices that int8 rounds"""

Values = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True, help="in the schema of mixtral-8x7b")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--skip", type=int, default=0, help="rows left out before the first")
    parser.add_argument("--tokens", type=int, default=48, help="length of every answer")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for values and for changed checkpoints"
    )
    args = parser.parse_args()
    rows = instruction_rows(args.dataset)[args.skip : args.skip + args.rows]
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP of the children reads it when it loads
    found: dict[str, dict[str, Any]] = {}
    whole: Values | None = None
    for name, noise, seed, precision in runs(args.seeds):
        kept = args.out / f"{name} {args.skip} {args.rows} {args.tokens}.json"
        if not kept.exists():
            changed = (
                disturbed(args.checkpoint, args.out / "disturbed", noise, seed) if noise else args.checkpoint
            )
            with multiprocessing.get_context("spawn").Pool(1) as child:
                asked = (EngineConfig(changed, precision), rows, args.tokens)
                kept.write_text(json.dumps(child.apply(answered, asked)))
        values = json.loads(kept.read_text())
        whole = whole or values
        found[name] = beside(values, whole)
        print(json.dumps({"run": name, "rows": len(rows), **found[name]}), flush=True)
    print(json.dumps({"over_seeds": {kind: over_seeds(found, kind) for kind in ("noise", "int8")}}))


def runs(seeds: int) -> Iterator[tuple[str, float, int, Precision]]:
    """Name, noise, its seed, precision; bfloat16, from which changes are counted, first."""
    for precision in (Precision.BFLOAT16, Precision.INT8):
        yield precision.value, 0, 0, precision
    for seed in range(seeds):
        yield f"noise {seed}", NOISE, seed, Precision.BFLOAT16
        yield f"shaken int8 {seed}", SHAKE, seed, Precision.INT8


def disturbed(checkpoint: Path, out: Path, noise: float, seed: int) -> Path:
    """A copy of the checkpoint with noise on the matrices that int8 rounds."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(checkpoint, out)
    generator = torch.Generator().manual_seed(seed)
    for shard in out.glob("*.safetensors"):
        tensors = load_file(shard)
        save_file({k: _noisy(k, w, noise, generator) for k, w in tensors.items()}, shard, {"format": "pt"})
    return out


def _noisy(name: str, weight: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    if name.split(".")[-2] not in ROUNDED:
        return weight
    size = noise * weight.float().square().mean(-1, keepdim=True).sqrt()
    return (weight.float() + size * torch.randn(weight.shape, generator=generator)).to(weight.dtype)


def answered(config: EngineConfig, rows: list[Sample], tokens: int) -> Values:
    config = EngineConfig(config.checkpoint, config.precision, max_running=BATCH)
    answers = parity.answers(config, [row.prompt_ids for row in rows], tokens, _silent)
    texts = tokenizer.load(config.checkpoint).decode(answers)
    return {**rouge.f_measures([row.truth for row in rows], texts), "new words": [*map(new_words, texts)]}


def new_words(text: str) -> float:
    words = text.split()
    return len(set(words)) / max(1, len(words))


def beside(values: Values, whole: Values) -> dict[str, Any]:
    def figures(name: str) -> dict[str, Any]:
        changes = [100 * (v - w) for v, w in zip(values[name], whole[name])]
        return {
            "mean": round(100 * mean(values[name]), 3),
            "change": round(mean(changes), 3),
            "change_95": interval.of_mean(changes),
            "rows_changed": sum(c != 0 for c in changes),
        }

    return {name: figures(name) for name in values}


def over_seeds(found: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    """Of the changes that runs of a kind made: their number, mean and standard deviation."""
    runs_of_it = [figures for name, figures in found.items() if kind in name.split()]
    changes = {name: [run[name]["change"] for run in runs_of_it] for name in runs_of_it[0]}
    return {
        name: {"runs": len(of), "mean": mean(of), "standard_deviation": statistics.stdev(of)}
        for name, of in changes.items()
    }


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _silent(_: str) -> None:
    """Progress that nobody wants to see."""


if __name__ == "__main__":
    main()
