"""Bytes that a streamed mixture reads where its router prefers some experts: one JSON object.

    python benchmarks/engine_expert_use.py --out FOLDER

A random model of 8 layers with 16 experts, of which each row wants 2. Its gates follow a power law, with other experts
in front in each layer: the embeddings share a direction, and each gate leans to it by the logarithm of its rank. A
quarter of the experts fit into memory. Bytes are counted by the engine, after a run of the same length to warm up.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from assay.config import Precision
from assay.engine import api, packing, residency
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.families import read_model_config
from assay.engine.sequence import EngineRequest
from assay.ground.errors import EnvironmentProblem

SHAPE = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 8, "vocab_size": 512}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
EXPERTS = {"num_local_experts": 16, "num_experts_per_tok": 2}
ANSWER, KEPT = 64, 0.25
STEEP = 1.2
"""Exponent of the power law; 0 is a router without preference, but for chance"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batches", default="1,4,16,64")
    args = parser.parse_args()
    found = {
        f"steep {steep:g}, batch {batch}": measure(checkpoint(args.out, steep), int(batch))
        for steep in (STEEP, 0.0)
        for batch in args.batches.split(",")
    }
    print(json.dumps({"load_average": os.getloadavg(), "runs": found}, indent=1))


def checkpoint(out: Path, steep: float) -> Path:
    """Written once, with its packed copy."""
    from transformers import MixtralConfig, MixtralForCausalLM

    folder = out / f"steep-{steep:g}"
    if folder.is_dir():
        return folder
    torch.manual_seed(0)
    model = MixtralForCausalLM(MixtralConfig(**SHAPE, **HEADS, **EXPERTS))
    hidden = SHAPE["hidden_size"]
    shared = torch.nn.functional.normalize(torch.randn(hidden), dim=0)
    with torch.no_grad():
        embeddings = model.model.embed_tokens.weight
        embeddings.normal_().add_(hidden**0.5 * shared)
        for name, gate in model.named_parameters():
            if name.endswith("gate.weight"):
                ranks = 1 + torch.randperm(len(gate))
                # Rows reach the gate with a length of sqrt(hidden), of which the shared direction has 1 / sqrt(2).
                leaning = -steep * ranks.log() / (hidden / 2) ** 0.5
                gate.normal_(std=hidden**-0.5).add_(leaning[:, None] * shared)
    model.save_pretrained(folder)
    packing.pack(EngineConfig(folder, Precision.INT8, max_running=1, kernels="torch"), lambda _: None)
    return folder


def measure(folder: Path, batch: int) -> dict[str, Any]:
    """A warm run, then one that counts."""
    config = EngineConfig(folder, Precision.INT8, max_running=batch, kv_tokens=batch * 128, kernels="torch")
    model = read_model_config(folder)
    experts = model.num_layers * model.num_experts
    least = residency.from_disk(model, replace(config, weights="disk"), 1 << 40).total
    room = least + int(KEPT * experts) * residency.expert_bytes(model, Precision.INT8)
    patch.object(api, "available_bytes", lambda: int(room / residency.DISK_SHARE) + 4096).start()
    # What fits whole would not be streamed: the plan is that of a machine with this much and no more.
    patch.object(residency, "in_memory", _refuse).start()
    engine = Engine(config)
    assert engine.stream is not None
    list(engine.generate(requests(batch, 0)))
    engine.meter.reset()
    before, began = engine.stream.clock.bytes, time.perf_counter()
    list(engine.generate(requests(batch, 1)))
    seconds = time.perf_counter() - began
    read = engine.stream.clock.bytes - before
    wanted = engine.meter.experts_read * engine.ops.expert_bytes
    engine.close()
    return {
        "mb_per_step": round(read / engine.meter.steps / 1e6, 2),
        "wanted_mb_per_step": round(wanted / engine.meter.steps / 1e6, 2),
        "whole_step_mb": round(engine.plan.step_bytes / 1e6, 2),
        "kept": len(engine.plan.resident),
        "tokens_per_s": round(engine.meter.sampled / seconds, 1),
    }


def _refuse(*_: Any) -> residency.Residency:
    raise EnvironmentProblem("more memory than this machine is to have", "")


def requests(batch: int, seed: int) -> list[EngineRequest]:
    rng = random.Random(seed)
    return [EngineRequest(i, tuple(rng.randrange(512) for _ in range(8)), ANSWER) for i in range(batch)]


if __name__ == "__main__":
    main()
