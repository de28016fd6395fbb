"""Keys and values in bfloat16 and in int8, step by step in turn: tokens/s of decoding and of prompts. One JSON object.

    python benchmarks/engine_kv.py --checkpoint DIR [--weights bfloat16] [--batches 1,32,256] [--contexts 128,2048]
        [--memory]

A step is what the engine computes: one token of each sequence after so many others, or PROMPT tokens of one sequence.
Both forms share the weights, and take turns. Sequences share blocks beyond POOL_BYTES: more than caches hold, and
less than the whole batch would take, which `kv_gib` tells.

With `--memory` no speed is measured: an engine for each form, batch and context, in a process of its own (Linux), has
the keys and values of the whole batch and computes a step of it and one of a prompt. `peak_gib` is the most that the
process had (VmHWM), `before_gib` what it had before the engine, `planned_gib` what the engine plans to take beyond.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from assay.config import Precision
from assay.engine import residency
from assay.engine.api import Engine
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
    parser.add_argument("--memory", action="store_true", help="peak memory in place of speed")
    args = parser.parse_args()
    config = EngineConfig(args.checkpoint, Precision(args.weights))
    contexts = [int(c) for c in args.contexts.split(",")]
    if args.memory:
        print(json.dumps(in_memory(config, [int(b) for b in args.batches.split(",")], contexts), indent=1))
        return
    model = read_model_config(args.checkpoint)
    ops, _ = choose_ops(config, model)
    decoder = load_model(model, Checkpoint(args.checkpoint), ops, lambda _: None)
    blocks = POOL_BYTES // (BLOCK_TOKENS * residency.kv_bytes_per_token(model, config))
    forms = {kv: Forward(decoder, blocks, Meter(model), kv == "int8") for kv in KV}
    for form in forms.values():
        fill(form)
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


def in_memory(config: EngineConfig, batches: list[int], contexts: list[int]) -> dict[str, Any]:
    """Memory by batch, context and form."""
    found: dict[str, Any] = {}
    for batch, context in itertools.product(batches, contexts):
        found[f"batch {batch}, context {context}"] = {
            kv: alone(memory, with_kv(config, kv), batch, context) for kv in KV
        }
    return {"checkpoint": str(config.checkpoint), "weights": config.precision.value, "runs": found}


def alone(work: Callable[..., dict[str, float]], *args: object) -> dict[str, float]:
    """In a process of its own, whose memory no earlier work has touched."""
    with multiprocessing.get_context("spawn").Pool(1) as child:
        return child.apply(work, args)


def memory(config: EngineConfig, batch: int, context: int) -> dict[str, float]:
    """GiB of this process, before and with an engine that has computed a step of the batch and one of a prompt."""
    before = resident_gib("VmRSS")
    room = batch * blocks_for(context) * BLOCK_TOKENS
    engine = Engine(replace(config, max_running=batch, kv_tokens=room))
    fill(engine._forward)
    engine._forward.run(decoding(batch, context, engine.plan.kv_blocks))
    engine._forward.run(prompt(context, engine.plan.kv_blocks))
    return {
        "before_gib": before,
        "peak_gib": resident_gib("VmHWM"),
        "planned_gib": round(engine.plan.total / 2**30, 3),
        "kv_gib": round(engine.plan.kv / 2**30, 3),
    }


def resident_gib(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith(field)) / 2**20, 3)


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
    return Batch((Chunk(sequence(0, context, blocks), max(0, context - PROMPT), context),))


def batch_bytes(decoder: Decoder, config: EngineConfig, batch: int, context: int) -> dict[str, float]:
    """GiB of the batch's keys and values."""
    tokens = batch * blocks_for(context) * BLOCK_TOKENS
    return {
        kv: round(tokens * residency.kv_bytes_per_token(decoder.config, with_kv(config, kv)) / 2**30, 3)
        for kv in KV
    }


def with_kv(config: EngineConfig, kv: str) -> EngineConfig:
    return replace(config, kv_precision="int8" if kv == "int8" else "auto")


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
