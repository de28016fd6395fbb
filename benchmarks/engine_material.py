"""The checkpoint and the workload of the peer benchmark: random weights, lengths as in MLPerf's Mixtral set."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist

MEDIUM = {
    "hidden_size": 1024,
    "num_hidden_layers": 16,
    "intermediate_size": 3584,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
}
"""1.52 B parameters, 3.03 GB in bfloat16: what two cores can run in minutes."""
PROMPT_MEDIAN, PROMPT_RANGE = 220, (30, 1024)
NEW_MEDIAN, NEW_RANGE = 106, (2, 1024)
SPREAD = 0.8
"""Sigma of the lognormal lengths; means are then about 290 and 145, as in the set (145 new tokens)."""


def make_checkpoint(folder: Path) -> None:
    """A random bfloat16 MixtralForCausalLM; nothing happens when it is there."""
    if (folder / "config.json").exists():
        return
    import torch
    from transformers import MixtralConfig, MixtralForCausalLM

    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    model = MixtralForCausalLM(MixtralConfig(vocab_size=32000, max_position_embeddings=4096, **MEDIUM))
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.05 if name.endswith("gate.weight") else 0.02)
    model.save_pretrained(folder)


def make_workload(path: Path, samples: int, scale: float = 4) -> None:
    """Lengths divided by `scale`. They follow low-discrepancy sequences, so any prefix is spread alike."""
    ids = random.Random(7)
    rows = []
    for u, v in zip(low_discrepancy(2, samples), low_discrepancy(3, samples)):
        prompt, new = length(u, PROMPT_MEDIAN, PROMPT_RANGE, scale), length(v, NEW_MEDIAN, NEW_RANGE, scale)
        rows.append({"prompt": [1, *(ids.randrange(300, 31992) for _ in range(prompt - 1))], "new": new})
    path.write_text(json.dumps({"name": f"{samples} samples, lengths / {scale:g}", "samples": rows}))


def length(u: float, median: float, bounds: tuple[int, int], scale: float) -> int:
    value = math.exp(math.log(median) + SPREAD * NormalDist().inv_cdf(u))
    return max(2, round(min(max(value, bounds[0]), bounds[1]) / scale))


def low_discrepancy(base: int, count: int) -> Iterator[float]:
    """Digits of 1, 2, 3, … mirrored behind the point: in base 2, 1/2, 1/4, 3/4, 1/8, …"""
    for number in range(1, count + 1):
        value, weight = 0.0, 1.0
        while number:
            number, digit = divmod(number, base)
            weight /= base
            value += digit * weight
        yield value
