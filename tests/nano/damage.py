"""Damage that a sound accuracy gate must notice, done to a loaded model on the fly."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

Weights = dict[str, Tensor]
NAMED_EXPERT = "model.layers.0.block_sparse_moe.experts.1."


def round_to_3_bits(weights: Weights) -> Weights:
    """Every matrix to the 7 levels -3..3 times one scale per row."""

    def rounded(matrix: Tensor) -> Tensor:
        scale = matrix.abs().amax(dim=1, keepdim=True) / 3
        return (matrix / scale).round().clamp(-3, 3) * scale

    return {name: rounded(w) if w.dim() == 2 else w for name, w in weights.items()}


def zero_an_expert(weights: Weights) -> Weights:
    return {name: torch.zeros_like(w) if name.startswith(NAMED_EXPERT) else w for name, w in weights.items()}


def shuffle_the_router(weights: Weights) -> Weights:
    """The rows of every router move on by one, so each token goes to the wrong experts."""
    return {name: w.roll(1, dims=0) if re.search(r"moe\.gate\.", name) else w for name, w in weights.items()}


def unharmed(weights: Weights) -> Weights:
    return weights


DAMAGES: dict[str, Callable[[Weights], Weights]] = {
    "weights rounded to 3 bits": round_to_3_bits,
    "an expert zeroed": zero_an_expert,
    "router shuffled": shuffle_the_router,
}


def damaged_model(folder: Path, damage: Callable[[Weights], Weights], rope_factor: float = 1.0) -> Any:
    """The checkpoint of `folder` in float32 with `damage` done, and its RoPE base times `rope_factor`."""
    from transformers import MixtralConfig, MixtralForCausalLM

    config = MixtralConfig.from_pretrained(folder)
    fields = config.to_dict()
    weights = {name: w.float() for name, w in load_file(folder / "model.safetensors").items()}
    base = fields["rope_parameters"]["rope_theta"] if "rope_parameters" in fields else fields["rope_theta"]
    for key in ("rope_parameters", "rope_theta"):
        fields.pop(key, None)
    config = MixtralConfig(**fields, rope_theta=base * rope_factor)
    # The loader, not load_state_dict: it knows how the experts are stacked in the version that is installed.
    return MixtralForCausalLM.from_pretrained(
        None, config=config, state_dict=damage(weights), dtype=torch.float32
    ).eval()
