"""A Mixtral checkpoint of a few thousand parameters that always gives the same short answer."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end import rows

ANSWER = "5 "
"""Right for row 0, a GSM8K sample."""


def write(folder: Path) -> Path:
    """Whatever is asked, it answers ANSWER: its layers add nothing, so each token alone decides on the next."""
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
    said = [*rows.encode(folder, ANSWER), 2]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "o_proj" in name or "down_proj" in name or ".w2." in name:
                weight.zero_()
        directions = torch.eye(32)
        model.model.embed_tokens.weight[:] = directions[0]
        model.lm_head.weight.zero_()
        for step, token in enumerate(said):
            model.lm_head.weight[token] = directions[step]
            model.model.embed_tokens.weight[token] = directions[step + 1]
    model.save_pretrained(folder)
    return folder


def dataset(folder: Path, checkpoint: Path) -> Path:
    """The hand-written rows in the official schema."""
    return rows.write(folder / "rows.jsonl", checkpoint)
