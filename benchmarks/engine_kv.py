"""Keys and values in bfloat16 and in int8, step by step in turn: tokens/s of decoding and of prompts. One JSON object.

    python benchmarks/engine_kv.py --checkpoint DIR [--weights bfloat16] [--batches 1,32,256] [--contexts 128,2048]

A step is what the engine computes: one token of each sequence after so many others, or PROMPT tokens of one sequence.
Both forms share the weights, and take turns. Sequences share blocks beyond POOL_BYTES: more than caches hold, and
less than the whole batch would take, which `kv_gib` tells.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from assay.config import Precision
from assay.engine import residency
from assay.engine.batch import Batch, Chunk
from assay.engine.checkpoint import Checkpoint
from assay.engine.config import EngineConfig
from assay.engine.decoder import Decoder
from assay.engine.families import read_model_config
from assay.engine.forward import Forward
from assay.engine.insight import Meter
from assay.engine.kv_blocks import BLOCK_TOKENS, blocks_for
from assay.engine.ops.choice import choose_ops
from assay.engine.sequence import EngineRequest, Sequence
from assay.engine.weights import load_model

KV = ("bfloat16", "int8")
POOL_BYTES = 1 << 30
"""Of keys and values in bfloat16"""
PROMPT = 512
ROUNDS, SECONDS = 3, 0.4
"""Turns, and how long one lasts at least"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--weights", default="bfloat16", choices=("bfloat16", "int8"))
    parser.add_argument("--batches", default="1,32,256")
    parser.add_argument("--contexts", default="128,2048", help="tokens of a sequence")
    args = parser.parse_args()
    config = EngineConfig(args.checkpoint, Precision(args.weights))
    model = read_model_config(args.checkpoint)
    ops, _ = choose_ops(config, model)
    decoder = load_model(model, Checkpoint(args.checkpoint), ops, lambda _: None)
    blocks = POOL_BYTES // (BLOCK_TOKENS * residency.kv_bytes_per_token(model, config))
    forms = {kv: Forward(decoder, blocks, Meter(model), kv == "int8") for kv in KV}
    for form in forms.values():
        fill(form)
    contexts = [int(c) for c in args.contexts.split(",")]
    found = {
        f"decode, batch {batch}, context {context}": compared(
            forms, decoding(int(batch), context, blocks), batch_bytes(decoder, config, int(batch), context)
        )
        for batch in args.batches.split(",")
        for context in contexts
    }
    for context in contexts:
        if context >= PROMPT:
            found[f"{PROMPT} tokens of a prompt up to {context}"] = compared(
                forms, prompt(context, blocks), {}
            )
    print(
        json.dumps(
            {
                "checkpoint": str(args.checkpoint),
                "weights": args.weights,
                "kernels": ops.name,
                "load_average": os.getloadavg(),
                "runs": found,
            },
            indent=1,
        )
    )


def fill(form: Forward) -> None:
    """Numbers as keys and values have them; zeros would be pages that are not there."""
    for kept in (form._cache.keys, form._cache.values):
        if form.kv_precision == "int8":
            kept.random_(-127, 128)
            scales = kept[..., -4 * BLOCK_TOKENS :]
            scales.copy_(scales.contiguous().view(torch.float32).fill_(0.01).view(kept.dtype))
        else:
            kept.normal_()


def sequence(number: int, tokens: int, blocks: int) -> Sequence:
    each = blocks_for(tokens)
    own = [(number * each + b) % blocks for b in range(each)]
    return Sequence(EngineRequest(number, (1,) * tokens), blocks=own)


def decoding(batch: int, context: int, blocks: int) -> Batch:
    return Batch(tuple(Chunk(sequence(s, context, blocks), context - 1, context) for s in range(batch)))


def prompt(context: int, blocks: int) -> Batch:
    return Batch((Chunk(sequence(0, context, blocks), context - PROMPT, context),))


def batch_bytes(decoder: Decoder, config: EngineConfig, batch: int, context: int) -> dict[str, float]:
    """GiB of the batch's keys and values."""
    configs = {
        kv: EngineConfig(config.checkpoint, kv_precision="int8" if kv == "int8" else "auto") for kv in KV
    }
    tokens = batch * blocks_for(context) * BLOCK_TOKENS
    return {
        kv: round(tokens * residency.kv_bytes_per_token(decoder.config, c) / 2**30, 3)
        for kv, c in configs.items()
    }


def compared(forms: dict[str, Forward], batch: Batch, gib: dict[str, float]) -> dict[str, Any]:
    for form in forms.values():
        form.run(batch)
    turns = [{kv: turn(form, batch) for kv, form in forms.items()} for _ in range(ROUNDS)]
    return {
        "tokens_per_s": {kv: [round(batch.num_tokens / t[kv]["step"], 1) for t in turns] for kv in KV},
        "int8_over_bfloat16": round(
            statistics.median(t["bfloat16"]["step"] / t["int8"]["step"] for t in turns), 3
        ),
        "attention_ms": {kv: round(1e3 * min(t[kv]["attention"] for t in turns), 2) for kv in KV},
        "kv_gib": gib,
    }


def turn(form: Forward, batch: Batch) -> dict[str, float]:
    """Seconds of a step, and of attention in it."""
    form.meter.reset()
    steps, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < SECONDS or steps < 2:
        form.run(batch)
        steps += 1
    return {"step": took / steps, "attention": form.meter.nanoseconds["attention"] / 1e9 / steps}


if __name__ == "__main__":
    main()
