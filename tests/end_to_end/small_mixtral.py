"""A Mixtral checkpoint of a few thousand parameters that ends its answers at once, with a byte tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end import rows


def write(folder: Path) -> Path:
    """Every embedding is the same vector and the end-of-sequence row of the head points along it."""
    import torch
    from transformers import MixtralConfig, MixtralForCausalLM

    rows.tokenizer(folder)
    vocab_size = json.loads((folder / "config.json").read_text())["vocab_size"]
    torch.manual_seed(7)
    model = MixtralForCausalLM(
        MixtralConfig(
            vocab_size=vocab_size,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            num_local_experts=4,
            num_experts_per_tok=2,
            max_position_embeddings=2048,
            bos_token_id=1,
            eos_token_id=2,
        )
    )
    with torch.no_grad():
        model.model.embed_tokens.weight.fill_(1.0)
        model.lm_head.weight[2].fill_(1.0)
    model.save_pretrained(folder)
    return folder


def dataset(folder: Path, checkpoint: Path) -> Path:
    """The hand-written rows in the official schema."""
    return rows.write(folder / "rows.jsonl", checkpoint)
