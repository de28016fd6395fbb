"""A checkpoint of a Mixtral with one layer and seeded random weights, in the format of Hugging Face."""

from __future__ import annotations

from pathlib import Path


def save(folder: Path, seed: int) -> Path:
    import torch
    from transformers import MixtralConfig, MixtralForCausalLM

    torch.manual_seed(seed)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_local_experts": 4}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64}
    MixtralForCausalLM(MixtralConfig(vocab_size=64, **shape, **heads)).save_pretrained(folder)
    return folder
